import { setTimeout as delay } from 'node:timers/promises'

import { HubError, reasonOf, RequestError } from '../errors.ts'
import { removeSpawner } from '../store/spawners.ts'
import type { User } from '../store/users.ts'
import { adoptServers, type Adoption } from './adopt.ts'
import { type Entry, failedEvent, readyEvent, titleOf } from './entry.ts'
import { Lifecycle } from './lifecycle.ts'
import type { ProgressEvent } from './progress.ts'
import { ServerTable } from './server-table.ts'
import type { ServersOptions } from './start-server.ts'

/** Seconds after which a refused client may come again. */
const RETRY_AFTER_SECONDS = 5

/** The single-user servers of one hub, for those who want one started or stopped. */
export class Servers {
  /** Where each server is in its life. */
  readonly table: ServerTable
  readonly #options: ServersOptions
  readonly #life: Lifecycle
  #timer: NodeJS.Timeout | undefined
  #polling = false
  #closing = false
  readonly #held = new Set<number>()

  constructor(options: ServersOptions) {
    this.#options = options
    this.table = new ServerTable(options.baseUrl)
    this.#life = new Lifecycle(options, this.table)
  }

  /**
   * Begins a start. Resolves once it is under way; wait for {@link Servers.settled} to know how it ended.
   *
   * @returns `'already'` when it was under way before.
   * @throws {@link RequestError} 400 when it runs or stops, 429 at a limit.
   */
  async start(user: User, server: string, userOptions: unknown): Promise<'begun' | 'already'> {
    const entry = this.table.entry(user, server)
    if (entry.phase === 'spawn') return 'already'
    if (entry.phase === 'stop') throw new RequestError(400, `${titleOf(entry)} is pending stop`)
    if (entry.phase === 'ready') {
      // Look before refusing: a server that died is noticed here rather than at the next poll.
      if ((await entry.running?.status()) === undefined) {
        throw new RequestError(400, `${titleOf(entry)} is already running`)
      }
      await this.#life.collect(entry, 'it has ended')
      // Its spawner could not take it back: to look again at once would be to look for ever.
      if (this.table.phase(user.id, server) === 'ready') {
        const retry = { 'retry-after': String(RETRY_AFTER_SECONDS) }
        throw new RequestError(503, `${titleOf(entry)} has ended and cannot be taken back yet`, retry)
      }
      return this.start(user, server, userOptions)
    }
    if (this.#closing)
      throw new RequestError(503, 'The hub is stopping', { 'retry-after': String(RETRY_AFTER_SECONDS) })
    if (this.#held.has(user.id)) throw new RequestError(400, `${user.name} is being changed, please wait`)
    this.#checkLimits()
    this.#life.begin(entry, userOptions)
    return 'begun'
  }

  /** Lets no server of a user start until it is disposed: for what must not happen to one who has a server. */
  hold(user: User): Disposable {
    if (this.#held.has(user.id)) throw new RequestError(400, `${user.name} is being changed, please wait`)
    this.#held.add(user.id)
    return { [Symbol.dispose]: () => this.#held.delete(user.id) }
  }

  /** Resolves when the start or stop under way has come to its end, at the latest after `timeoutMs`. */
  async settled(userId: number, server: string, timeoutMs: number): Promise<void> {
    const entry = this.table.find(userId, server)
    if (entry === undefined) return
    const timer = new AbortController()
    await Promise.race([entry.work, delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => {})])
    timer.abort()
  }

  /** Throws the failure of the last start, with its HTTP status. */
  throwFailure(userId: number, server: string): void {
    const failure = this.table.find(userId, server)?.failure
    if (failure !== undefined) throw new RequestError(failure.status, failure.message)
  }

  /**
   * Begins a stop.
   *
   * @returns `'stopped'` when nothing ran, else `'begun'` or `'already'`.
   * @throws {@link RequestError} 400 while it starts, unless `cancel` is set.
   */
  stop(user: User, server: string, options: { readonly cancel?: boolean } = {}): 'stopped' | 'begun' | 'already' {
    const entry = this.table.find(user.id, server)
    if (entry === undefined || entry.phase === 'stopped') return 'stopped'
    if (entry.phase === 'stop') return 'already'
    if (entry.phase === 'spawn') {
      if (options.cancel !== true) throw new RequestError(400, `${titleOf(entry)} is pending spawn, please wait`)
      entry.cancel?.abort(new HubError('HUB_SPAWN_FAILED', 'The start was cancelled'))
      return 'begun'
    }
    this.#life.end(entry, 'stopped on request')
    return 'begun'
  }

  /** Forgets a stopped named server. */
  async forget(user: User, server: string): Promise<void> {
    await this.settled(user.id, server, 60_000)
    const entry = this.table.entry(user, server)
    if (entry.phase !== 'stopped') throw new RequestError(400, `${titleOf(entry)} is not stopped`)
    // Until its row is gone nothing may start from it.
    this.table.move(entry, 'stop')
    const removal = removeSpawner(this.#options.db, user.id, server)
    entry.work = removal.catch(() => {})
    try {
      await removal
      this.table.remove(user.id, server)
    } catch (error) {
      this.table.move(entry, 'stopped')
      throw error
    }
  }

  /** The messages of a start, or the one that says how things are. */
  async *progress(user: User, server: string): AsyncGenerator<ProgressEvent, void> {
    const entry = this.table.find(user.id, server)
    if (entry === undefined || entry.phase === 'stop' || (entry.phase === 'stopped' && entry.failure === undefined)) {
      throw new RequestError(400, `${titleOf({ user, server })} is not starting...`)
    }
    if (entry.phase === 'ready') yield readyEvent(entry)
    else if (entry.phase === 'stopped') yield failedEvent(entry)
    else yield* entry.progress.read()
  }

  /** The log tail of a server. */
  logTail(user: User, server: string): Promise<string> {
    return this.#options.spawner.logTail(user.name, server)
  }

  /** Finds the servers of a former hub again, and begins to watch. */
  async adopt(): Promise<Adoption> {
    const adoption = await adoptServers(this.#options, this.table, this.#life)
    this.#timer = setInterval(() => void this.#poll(), this.#options.pollIntervalMs)
    this.#timer.unref()
    return adoption
  }

  /** Starts nothing any more. */
  close(): void {
    this.#closing = true
  }

  /** Stops watching; the servers go on. */
  release(): void {
    this.close()
    clearInterval(this.#timer)
  }

  /** Cancels every start and stops every server. */
  async stopAll(): Promise<void> {
    this.release()
    const entries = this.table.all()
    for (const { user, server } of entries) this.stop(user, server, { cancel: true })
    // Read after that: a stop has just become the work.
    await Promise.all(entries.map(({ work }) => work))
  }

  /** Looks at every running server once, and takes back what could not be taken back before. */
  async #poll(): Promise<void> {
    if (this.#polling) return
    this.#polling = true
    try {
      for (const entry of this.table.all()) await this.#look(entry)
      // Why it cannot be done was said when it was left; the next look tries again.
      await this.#options.spawner.tidy?.().catch(() => {})
    } catch (error) {
      this.#options.log('error', 'poll failed', { reason: reasonOf(error) })
    } finally {
      this.#polling = false
    }
  }

  async #look(entry: Entry): Promise<void> {
    await this.#life.tidy(entry)
    if (entry.phase !== 'ready') return
    const reason = await entry.running?.status()
    if (reason !== undefined) await this.#life.collect(entry, reason)
  }

  #checkLimits(): void {
    const { concurrentSpawns, activeServers: most } = this.#options
    const { running, spawning, stopping } = this.table.counts()
    const retry = { 'retry-after': String(RETRY_AFTER_SECONDS) }
    if (concurrentSpawns > 0 && spawning >= concurrentSpawns) {
      throw new RequestError(429, 'Too many users trying to log in right now. Try again shortly.', retry)
    }
    if (most > 0 && running + spawning + stopping >= most) {
      throw new RequestError(429, 'Active user limit exceeded. Try again in a few minutes.', retry)
    }
  }
}
