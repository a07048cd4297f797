import { readFileSync } from 'node:fs'

import { builtinHttp, builtinHttps } from '../../builtin-http.ts'
import { messageOf, ProbeError } from '../../errors.ts'

/** Where a hub is and how to speak to it. */
export interface HubAddress {
  readonly scheme: 'http' | 'https'
  readonly hostname: string
  readonly port: number
  readonly base_path: string
  readonly token: string
  /** `false` accepts any certificate, a path names a file of CA certificates. */
  readonly verify: boolean | string
}

/** An answer, whatever its status. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The body as JSON, `undefined` when it is none. */
  readonly json: unknown
  /** From the first byte sent to the last one received. */
  readonly seconds: number
}

interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly body?: unknown
  readonly signal: AbortSignal
  /** Limit of this one call in milliseconds. */
  readonly timeoutMs?: number
  /** Leave the token at home. */
  readonly anonymous?: boolean
  /** Sees the body as it comes; return `false` to end the call. */
  readonly onText?: (chunk: string) => boolean
}

/** Largest answer that is kept, in characters; a user model has a few hundred. */
const largestBody = 4 * 1024 * 1024

/** Codes of node:tls for a certificate that does not hold; anything else is the network. */
const tlsCode = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|^ERR_TLS|^ERR_SSL|EPROTO/

/**
 * Speaks to a hub's REST API. Built on node:http: fetch refuses some ports outright, and ties the trust in certificates
 * to the process.
 */
export class HubClient {
  readonly #address: HubAddress
  readonly #ca: Buffer | undefined

  /** @throws {@link ProbeError} `PROBE_HUB_TLS` when the file of CA certificates cannot be read. */
  constructor(address: HubAddress) {
    this.#address = address
    try {
      this.#ca = typeof address.verify === 'string' ? readFileSync(address.verify) : undefined
    } catch (error) {
      throw new ProbeError('PROBE_HUB_TLS', `Cannot read the CA certificates: ${messageOf(error)}`, { cause: error })
    }
  }

  /** The prefix of the hub, with a slash at its end. */
  get base(): string {
    const inner = this.#address.base_path.replaceAll(/^\/+|\/+$/g, '')
    return inner === '' ? '/' : `/${inner}/`
  }

  /** Address for people, without the token. */
  get url(): string {
    const { scheme, hostname, port } = this.#address
    const host = hostname.includes(':') ? `[${hostname}]` : hostname
    return `${scheme}://${host}:${port}${this.base}`
  }

  /** Calls the REST API; `path` comes after `hub/api/`. */
  api(path: string, options: CallOptions): Promise<Answer> {
    return this.call(`${this.base}hub/api/${path}`, options)
  }

  /**
   * Sends one request and reads the answer.
   *
   * @throws {@link ProbeError} `PROBE_HUB_UNREACHABLE`, `PROBE_HUB_TLS`, `PROBE_TIMEOUT`, or the signal's reason.
   */
  call(path: string, options: CallOptions): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const { scheme, hostname, port, token, verify } = this.#address
    const body = options.body === undefined ? undefined : JSON.stringify(options.body)
    const started = performance.now()
    const limit = options.timeoutMs ?? 15_000
    const request = (scheme === 'https' ? builtinHttps() : builtinHttp()).request({
      hostname,
      port,
      path,
      method: options.method ?? 'GET',
      agent: false,
      headers: {
        accept: 'application/json',
        'user-agent': 'swan-probe',
        ...(options.anonymous === true || token === '' ? {} : { authorization: `token ${token}` }),
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
      // Said outright, so that NODE_EXTRA_CA_CERTS and NODE_TLS_REJECT_UNAUTHORIZED decide nothing.
      ...(scheme === 'https' ? { rejectUnauthorized: verify !== false, ...(this.#ca && { ca: this.#ca }) } : {}),
    })
    const fail = (error: unknown) => {
      reject(error instanceof ProbeError ? error : this.#explain(error))
      request.destroy()
    }
    // Covers the name lookup, the connection and the TLS handshake as well, which have no limits of their own.
    const timer = setTimeout(
      () => fail(new ProbeError('PROBE_TIMEOUT', `${this.url} did not answer within ${limit / 1000} s`)),
      limit,
    )
    const onAbort = () => fail(options.signal.reason)
    if (options.signal.aborted) onAbort()
    options.signal.addEventListener('abort', onAbort)
    request.on('error', fail)
    request.on('response', (response) => {
      let text = ''
      const finish = () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: parseJson(text),
          seconds: (performance.now() - started) / 1000,
        })
        request.destroy()
      }
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > largestBody) fail(new ProbeError('PROBE_HUB_ANSWER', `${this.url} answered without end`))
        else if (options.onText?.(chunk) === false) finish()
      })
      response.on('end', finish)
      response.on('error', fail)
      response.on('aborted', () => fail(new Error('the connection was cut')))
    })
    request.end(body)
    return promise.finally(() => {
      clearTimeout(timer)
      options.signal.removeEventListener('abort', onAbort)
    })
  }

  #explain(error: unknown): ProbeError {
    // A name with several addresses fails once for each; the first tells enough.
    const first = error instanceof AggregateError ? (error.errors as unknown[])[0] : error
    const code = (first as NodeJS.ErrnoException).code ?? ''
    if (this.#address.scheme === 'https' && tlsCode.test(code)) {
      const hint = code === 'EPROTO' ? '; is this a plain http port (`scheme: http`)?' : ''
      return new ProbeError('PROBE_HUB_TLS', `${this.url} has no valid TLS: ${code}, ${messageOf(first)}${hint}`)
    }
    return new ProbeError('PROBE_HUB_UNREACHABLE', `${this.url} cannot be reached: ${messageOf(first)}`, {
      cause: code,
    })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
