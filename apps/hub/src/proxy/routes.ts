import { Agent, request } from 'node:http'

import { reasonOf } from '../errors.ts'

/** A route of configurable-http-proxy: requests below the path go to the target. */
export interface Route {
  readonly target: string
  readonly jupyterhub?: boolean
  readonly hub?: boolean
  readonly user?: string
  readonly server_name?: string
  readonly last_activity?: string
}

/** Raised when the proxy's API cannot be reached or refuses a call. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
}

/**
 * The routing table of a running configurable-http-proxy.
 *
 * Paths are given unescaped, with slashes at both ends. A call is tried again for `retryMs` when the proxy does not answer.
 *
 * @see https://github.com/jupyterhub/configurable-http-proxy#rest-api
 */
export class RouteTable implements Disposable {
  readonly #port: number
  readonly #token: string
  readonly #retryMs: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })

  constructor(options: { readonly port: number; readonly token: string; readonly retryMs?: number }) {
    this.#port = options.port
    this.#token = options.token
    this.#retryMs = options.retryMs ?? 5000
  }

  /** All routes by path. */
  async all(): Promise<Readonly<Record<string, Route>>> {
    const { status, body } = await this.#call('GET', '/api/routes')
    if (status !== 200) throw new ProxyError(`Expected the proxy's routes, got status ${status}`)
    return JSON.parse(body) as Record<string, Route>
  }

  /** Adds or replaces a route. */
  async set(path: string, route: Route): Promise<void> {
    const { status } = await this.#call('POST', `/api/routes${escapePath(path)}`, JSON.stringify(route))
    if (status !== 201) throw new ProxyError(`The proxy refused a route with status ${status}`)
  }

  /** Removes a route; one that is absent is no failure. */
  async remove(path: string): Promise<void> {
    const { status } = await this.#call('DELETE', `/api/routes${escapePath(path)}`)
    if (status !== 204 && status !== 404) throw new ProxyError(`The proxy kept a route with status ${status}`)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  async #call(method: string, path: string, body?: string): Promise<{ status: number; body: string }> {
    const deadline = performance.now() + this.#retryMs
    for (let wait = 25; ; wait *= 2) {
      try {
        const answer = await this.#send(method, path, body)
        if (answer.status < 500) return answer
        throw new ProxyError(`The proxy answered with status ${answer.status}`)
      } catch (error) {
        if (performance.now() + wait > deadline) {
          throw error instanceof ProxyError ? error : new ProxyError(`The proxy does not answer: ${reasonOf(error)}`)
        }
      }
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }

  #send(method: string, path: string, body: string | undefined): Promise<{ status: number; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
    const headers = { authorization: `token ${this.#token}`, 'content-type': 'application/json' }
    const call = request(
      { host: '127.0.0.1', port: this.#port, method, path, headers, agent: this.#agent, timeout: 2000 },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
        response.on('error', reject)
      },
    )
    call.on('timeout', () => call.destroy(new Error('no answer within 2 s')))
    call.on('error', reject)
    call.end(body)
    return promise
  }
}

/** CHP keys are unescaped again by the proxy; a slash at the end is not part of a key. */
function escapePath(path: string): string {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
  return trimmed.split('/').map(encodeURIComponent).join('/')
}
