import { setTimeout as sleep } from 'node:timers/promises'

import { ProbeError } from '../../errors.ts'
import type { HubClient } from './client.ts'
import { verdictOf, wordsOf } from './verdicts.ts'

/** Time between two looks at a server that starts or stops, in milliseconds. */
const pollMs = 200

/** What the hub says about one server of one user. */
export interface Session {
  readonly state: 'ready' | 'spawn' | 'stop' | 'none'
  /** Path of the server on the proxy, when there is one. */
  readonly url: string | undefined
}

/** One server of one user, by the hub's REST API. */
export class SessionApi {
  readonly user: string
  readonly #client: HubClient
  readonly #server: string
  readonly #signal: AbortSignal

  constructor(client: HubClient, user: string, server: string, signal: AbortSignal) {
    this.#client = client
    this.user = user
    this.#server = server
    this.#signal = signal
  }

  get #userPath(): string {
    return `users/${encodeURIComponent(this.user)}`
  }

  get #serverPath(): string {
    return `${this.#userPath}/${this.#server === '' ? 'server' : `servers/${encodeURIComponent(this.#server)}`}`
  }

  /**
   * Asks what state the server is in.
   *
   * @throws {@link ProbeError} `PROBE_USER_UNKNOWN`, or what the answer means.
   */
  async look(): Promise<Session> {
    return sessionOf(await this.model(), this.#server)
  }

  /** Reads the user's model. */
  async model(): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#client.api(this.#userPath, { signal: this.#signal })
    if (answer.status === 404) {
      throw new ProbeError('PROBE_USER_UNKNOWN', `The hub knows no user \`${this.user}\`, or the token may not see it`)
    }
    const { json } = answer
    if (answer.status !== 200) throw await this.#verdict(answer, `the user ${this.user}`)
    if (typeof json !== 'object' || json === null || (json as { kind?: unknown }).kind !== 'user') {
      throw new ProbeError('PROBE_HUB_ANSWER', `Expected a user model from ${this.#client.url}, got something else`)
    }
    return json as Readonly<Record<string, unknown>>
  }

  /**
   * Asks for a start. `started` when it is ready at once, `pending` when it is on its way, `running` when it was there.
   *
   * @param deadline - Moment on the clock of `performance.now()` beyond which it is not asked again.
   */
  async start(
    options: Readonly<Record<string, unknown>>,
    deadline: number,
  ): Promise<'started' | 'pending' | 'running'> {
    for (;;) {
      const answer = await this.#client.api(this.#serverPath, {
        method: 'POST',
        body: options,
        signal: this.#signal,
        timeoutMs: 86_400_000,
      })
      const words = wordsOf(answer)
      if (answer.status === 201) return 'started'
      if (answer.status === 202) return 'pending'
      if (answer.status === 400 && /already running/i.test(words)) return 'running'
      const busyMs = answer.status === 429 ? retryAfterMs(answer.headers['retry-after'], Date.now()) : undefined
      if (answer.status === 400 && /pending stop/i.test(words)) await this.#sleep(pollMs)
      else if (busyMs !== undefined && performance.now() + busyMs < deadline) await this.#sleep(busyMs)
      else if (busyMs !== undefined) throw tooBusy(this.user, busyMs)
      else if (answer.status >= 500 && answer.json !== undefined && !/database/i.test(words)) {
        throw new ProbeError('PROBE_SPAWN_FAILED', `The hub could not start a server for ${this.user}: ${words}`)
      } else throw await this.#verdict(answer, `a start for ${this.user}`)
    }
  }

  /**
   * Waits until a server that was asked for is ready.
   *
   * Listens to the hub's progress, which tells of a failed start at once and why; looks at the model where the token
   * may not listen.
   */
  async waitUntilReady(): Promise<Session> {
    const failed = await this.#listen()
    if (failed !== undefined) {
      // The start is where a hub first has to write.
      const code = /database/i.test(failed) ? 'PROBE_HUB_DATABASE' : 'PROBE_SPAWN_FAILED'
      throw new ProbeError(code, `The server of ${this.user} failed to start: ${failed}`)
    }
    for (;;) {
      const session = await this.look()
      if (session.state === 'ready') return session
      if (session.state !== 'spawn') {
        throw new ProbeError('PROBE_SPAWN_FAILED', `The server of ${this.user} was starting and is gone`)
      }
      await this.#sleep(pollMs)
    }
  }

  /** Stops the server and waits until the hub has none any more. */
  async stop(): Promise<void> {
    for (;;) {
      const answer = await this.#client.api(this.#serverPath, {
        method: 'DELETE',
        signal: this.#signal,
        timeoutMs: 86_400_000,
      })
      // A hub may refuse to stop what is still starting; it can be stopped in a moment, or has failed by then.
      const starting = answer.status === 400 && /pending/i.test(wordsOf(answer))
      if (answer.status === 404) {
        if ((await this.look()).state === 'none') return
      } else if (answer.status !== 204 && answer.status !== 202 && !starting) {
        throw await this.#verdict(answer, `a stop for ${this.user}`)
      }
      for (;;) {
        const { state } = await this.look()
        if (state === 'none') return
        if (state !== 'stop') break
        await this.#sleep(pollMs)
      }
      await this.#sleep(pollMs)
    }
  }

  /** Follows the progress of a start. Gives the reason of a failure, `undefined` when it is ready or nothing is known. */
  async #listen(): Promise<string | undefined> {
    let waiting = ''
    let failure: string | undefined
    await this.#client.api(`${this.#serverPath}/progress`, {
      signal: this.#signal,
      timeoutMs: 86_400_000,
      onText: (chunk) => {
        waiting += chunk
        const lines = waiting.split('\n')
        waiting = lines.pop() ?? ''
        for (const line of lines) {
          const event = eventOf(line)
          if (event?.failed === true) failure = event.message ?? 'the hub gives no reason'
          if (event?.failed === true || event?.ready === true) return false
        }
        return true
      },
    })
    return failure
  }

  #verdict(answer: Awaited<ReturnType<HubClient['api']>>, doing: string): Promise<ProbeError> {
    return verdictOf(this.#client, answer, doing, this.#signal)
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => {
      throw this.#signal.reason as Error
    })
  }
}

/**
 * Reads when to ask again, in milliseconds from now; `undefined` when nothing to go by is said.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
function retryAfterMs(value: string | string[] | undefined, now: number): number | undefined {
  const text = typeof value === 'string' ? value.trim() : ''
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return ms > 0 ? Math.max(pollMs, ms) : undefined
}

const tooBusy = (user: string, ms: number): ProbeError =>
  new ProbeError(
    'PROBE_HUB_BUSY',
    `The hub answered 429 to a start for ${user} and wants to be asked again in ${Math.ceil(ms / 1000)} s: ` +
      'that is after the limit',
  )

interface ProgressEvent {
  readonly ready?: boolean
  readonly failed?: boolean
  readonly message?: string
}

function eventOf(line: string): ProgressEvent | undefined {
  if (!line.startsWith('data:')) return undefined
  try {
    return JSON.parse(line.slice(5)) as ProgressEvent
  } catch {
    return undefined
  }
}

interface ServerModel {
  readonly ready?: boolean
  readonly pending?: string | null
  readonly url?: string
}

/** Reads a server's state out of a user model, of hubs old (`server`, `pending`) and new (`servers`). */
function sessionOf(model: Readonly<Record<string, unknown>>, server: string): Session {
  const servers = model['servers'] as Readonly<Record<string, ServerModel>> | undefined
  const found = servers?.[server]
  if (found === undefined && server === '') {
    const url = typeof model['server'] === 'string' ? model['server'] : undefined
    const pending = model['pending']
    if (pending === 'spawn' || pending === 'stop') return { state: pending, url }
    return { state: url === undefined ? 'none' : 'ready', url }
  }
  if (found === undefined) return { state: 'none', url: undefined }
  if (found.pending === 'stop') return { state: 'stop', url: found.url }
  if (found.ready === true) return { state: 'ready', url: found.url }
  return { state: found.pending === 'spawn' || found.pending === 'check' ? 'spawn' : 'none', url: found.url }
}
