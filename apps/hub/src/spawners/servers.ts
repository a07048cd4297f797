import { setTimeout as delay } from 'node:timers/promises'

import { HubError, reasonOf, RequestError } from '../errors.ts'
import { activeServers, clearSpawn, removeSpawner } from '../store/spawners.ts'
import type { User } from '../store/users.ts'
import { type Entry, failedEvent, failureOf, keyOf, type Phase, readyEvent, titleOf } from './entry.ts'
import { type ServerNames, serverNames } from './names.ts'
import { type ProgressEvent, ProgressLog } from './progress.ts'
import { answers } from './readiness.ts'
import type { RunningServer } from './spawner.ts'
import { type ServersOptions, startServer, targetOf } from './start-server.ts'

/** Seconds after which a refused client may come again. */
const RETRY_AFTER_SECONDS = 5

/** The single-user servers of one hub: starts, stops, watches and finds them again. */
export class Servers {
  readonly #options: ServersOptions
  readonly #entries = new Map<string, Entry>()
  #timer: NodeJS.Timeout | undefined
  #polling = false

  constructor(options: ServersOptions) {
    this.#options = options
  }

  /** Where a server is in its life. */
  phase(userId: number, server: string): Phase {
    return this.#entries.get(keyOf(userId, server))?.phase ?? 'stopped'
  }

  /** What is pending for a server: as the API words it. */
  pending(userId: number, server: string): 'spawn' | 'stop' | null {
    const phase = this.phase(userId, server)
    return phase === 'spawn' || phase === 'stop' ? phase : null
  }

  /** Why the last start failed, until the next one. */
  failure(userId: number, server: string): string | undefined {
    return this.#entries.get(keyOf(userId, server))?.failure?.message
  }

  /** The routes that the proxy should have for running servers. */
  expectedRoutes(): Map<string, { readonly target: string; readonly user: string; readonly server_name: string }> {
    const routes = new Map<string, { target: string; user: string; server_name: string }>()
    for (const { phase, running, names, user, server } of this.#entries.values()) {
      if (phase !== 'ready' || running === undefined) continue
      routes.set(names.route, { target: targetOf(running), user: user.name, server_name: server })
    }
    return routes
  }

  /** Keys of the users who have a server that answers. */
  readyUserIds(): number[] {
    const ready = [...this.#entries.values()].filter(({ phase }) => phase === 'ready')
    return [...new Set(ready.map(({ user }) => user.id))]
  }

  /** Counts by phase, for metrics. */
  counts(): { readonly running: number; readonly spawning: number; readonly stopping: number } {
    const phases = [...this.#entries.values()].map(({ phase }) => phase)
    const count = (wanted: Phase) => phases.filter((phase) => phase === wanted).length
    return { running: count('ready'), spawning: count('spawn'), stopping: count('stop') }
  }

  /** The names and addresses of a server. */
  names(user: Pick<User, 'name'>, server: string): ServerNames {
    return serverNames(this.#options.baseUrl, user.name, server)
  }

  /**
   * Begins a start. Resolves once it is under way; wait for {@link Servers.settled} to know how it ended.
   *
   * @returns `'already'` when it was under way before.
   * @throws {@link RequestError} 400 when it runs or stops, 429 at a limit.
   */
  async start(user: User, server: string, userOptions: unknown): Promise<'begun' | 'already'> {
    const entry = this.#entry(user, server)
    if (entry.phase === 'spawn') return 'already'
    if (entry.phase === 'stop') throw new RequestError(400, `${titleOf(entry)} is pending stop`)
    if (entry.phase === 'ready') {
      // Look before refusing: a server that died is noticed here rather than at the next poll.
      if ((await entry.running?.status()) === undefined) {
        throw new RequestError(400, `${titleOf(entry)} is already running`)
      }
      await this.#collect(entry, 'it has ended')
      return this.start(user, server, userOptions)
    }
    this.#checkLimits()
    entry.phase = 'spawn'
    delete entry.failure
    entry.progress = new ProgressLog()
    entry.cancel = new AbortController()
    entry.progress.add({ progress: 0, message: 'Server requested' })
    entry.work = this.#spawn(entry, userOptions, entry.cancel.signal)
    return 'begun'
  }

  /** Resolves when the start or stop under way has come to its end, at the latest after `timeoutMs`. */
  async settled(userId: number, server: string, timeoutMs: number): Promise<void> {
    const entry = this.#entries.get(keyOf(userId, server))
    if (entry === undefined) return
    const timer = new AbortController()
    await Promise.race([entry.work, delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => {})])
    timer.abort()
  }

  /** Throws the failure of the last start, with its HTTP status. */
  throwFailure(userId: number, server: string): void {
    const failure = this.#entries.get(keyOf(userId, server))?.failure
    if (failure !== undefined) throw new RequestError(failure.status, failure.message)
  }

  /**
   * Begins a stop.
   *
   * @returns `'stopped'` when nothing ran, else `'begun'` or `'already'`.
   * @throws {@link RequestError} 400 while it starts, unless `cancel` is set.
   */
  stop(user: User, server: string, options: { readonly cancel?: boolean } = {}): 'stopped' | 'begun' | 'already' {
    const entry = this.#entries.get(keyOf(user.id, server))
    if (entry === undefined || entry.phase === 'stopped') return 'stopped'
    if (entry.phase === 'stop') return 'already'
    if (entry.phase === 'spawn') {
      if (options.cancel !== true) throw new RequestError(400, `${titleOf(entry)} is pending spawn, please wait`)
      entry.cancel?.abort(new HubError('HUB_SPAWN_FAILED', 'The start was cancelled'))
      return 'begun'
    }
    entry.phase = 'stop'
    entry.work = this.#stop(entry, 'stopped on request')
    return 'begun'
  }

  /** Forgets a stopped named server. */
  async forget(user: User, server: string): Promise<void> {
    await this.settled(user.id, server, 60_000)
    await removeSpawner(this.#options.db, user.id, server)
    this.#entries.delete(keyOf(user.id, server))
  }

  /** The messages of a start, or the one that says how things are. */
  async *progress(user: User, server: string): AsyncGenerator<ProgressEvent, void> {
    const entry = this.#entries.get(keyOf(user.id, server))
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

  /** Finds the servers of a former hub again, ends what nobody knows, and begins to watch. */
  async adopt(): Promise<{ readonly adopted: number; readonly lost: number; readonly swept: number }> {
    const { db, spawner, log } = this.#options
    let lost = 0
    for (const stored of await activeServers(db)) {
      const entry = this.#entry(stored.user, stored.spawner.name)
      const state = JSON.parse(stored.spawner.state ?? '{}') as Record<string, unknown>
      const address = { ip: stored.server?.ip ?? '', port: stored.server?.port ?? 0 }
      const running = address.port === 0 ? undefined : await spawner.adopt(state, address)
      if (running !== undefined && (await answers(address, entry.names.prefix, 2000))) {
        entry.begun = { spawnerId: stored.spawner.id, serverId: stored.spawner.server_id as number }
        this.#watchOver(entry, running)
        log('info', 'server found again', { user: entry.user.name, server: entry.server })
      } else {
        lost += 1
        await running?.stop()
        await clearSpawn(db, stored.spawner.id, entry.names.prefix)
        log('warn', 'server lost', { user: entry.user.name, server: entry.server })
      }
    }
    const known = [...this.#entries.values()].flatMap(({ running }) => running ?? [])
    const swept = await spawner.sweep(known)
    this.#timer = setInterval(() => void this.poll(), this.#options.pollIntervalMs)
    this.#timer.unref()
    return { adopted: known.length, lost, swept }
  }

  /** Looks at every running server once, and takes back what could not be taken back before. */
  async poll(): Promise<void> {
    if (this.#polling) return
    this.#polling = true
    try {
      for (const entry of this.#entries.values()) {
        if (entry.unclean !== undefined) await this.#clear(entry).catch(() => {})
        if (entry.phase !== 'ready') continue
        const reason = await entry.running?.status()
        if (reason !== undefined) await this.#collect(entry, reason)
      }
    } catch (error) {
      this.#options.log('error', 'poll failed', { reason: reasonOf(error) })
    } finally {
      this.#polling = false
    }
  }

  /** Stops watching; the servers go on. */
  release(): void {
    clearInterval(this.#timer)
  }

  /** Cancels every start and stops every server. */
  async stopAll(): Promise<void> {
    this.release()
    const entries = [...this.#entries.values()]
    for (const { user, server } of entries) this.stop(user, server, { cancel: true })
    await Promise.all(entries.map(({ work }) => work))
  }

  /** Whether any server of a user runs, starts or stops. */
  hasActive(userId: number): boolean {
    return [...this.#entries.values()].some(({ user, phase }) => user.id === userId && phase !== 'stopped')
  }

  #entry(user: User, server: string): Entry {
    const key = keyOf(user.id, server)
    const known = this.#entries.get(key)
    // A renamed user's stopped server has another prefix.
    if (known !== undefined && (known.phase !== 'stopped' || known.user.name === user.name)) return known
    const entry: Entry = {
      user,
      server,
      names: this.names(user, server),
      phase: 'stopped',
      progress: new ProgressLog(),
      work: Promise.resolve(),
    }
    this.#entries.set(key, entry)
    return entry
  }

  #checkLimits(): void {
    const { concurrentSpawns, activeServers: most } = this.#options
    const { running, spawning, stopping } = this.counts()
    const retry = { 'retry-after': String(RETRY_AFTER_SECONDS) }
    if (concurrentSpawns > 0 && spawning >= concurrentSpawns) {
      throw new RequestError(429, 'Too many users trying to log in right now. Try again shortly.', retry)
    }
    if (most > 0 && running + spawning + stopping >= most) {
      throw new RequestError(429, 'Active user limit exceeded. Try again in a few minutes.', retry)
    }
  }

  async #spawn(entry: Entry, userOptions: unknown, cancelled: AbortSignal): Promise<void> {
    const { log, startTimeoutMs } = this.#options
    const { user, server, names } = entry
    const overrun = new AbortController()
    const timer = setTimeout(() => {
      overrun.abort(new HubError('HUB_SPAWN_FAILED', `The server did not answer within ${startTimeoutMs / 1000} s`))
    }, startTimeoutMs)
    try {
      const running = await startServer(this.#options, entry, userOptions, AbortSignal.any([cancelled, overrun.signal]))
      this.#watchOver(entry, running)
      entry.progress.add(readyEvent(entry))
      log('info', 'server ready', { user: user.name, server })
    } catch (error) {
      entry.failure = failureOf(error)
      log('warn', 'server did not start', { user: user.name, server, reason: entry.failure.message })
      await this.#options
        .routes()
        .remove(names.route)
        .catch(() => {})
      await this.#clear(entry).catch(() => {})
      entry.phase = 'stopped'
      entry.progress.add(failedEvent(entry))
    } finally {
      clearTimeout(timer)
      delete entry.cancel
    }
  }

  #watchOver(entry: Entry, running: RunningServer): void {
    entry.running = running
    entry.phase = 'ready'
    void running.ended.then((reason) => {
      if (entry.running === running && entry.phase === 'ready') return this.#collect(entry, reason)
      return undefined
    })
  }

  /** Tidies up behind a server that ended by itself. */
  async #collect(entry: Entry, reason: string): Promise<void> {
    if (entry.phase !== 'ready') return
    entry.phase = 'stop'
    entry.work = this.#stop(entry, reason)
    await entry.work
  }

  async #stop(entry: Entry, reason: string): Promise<void> {
    const { log } = this.#options
    const { user, server, names } = entry
    // The route first: from here on browsers get the hub's page rather than a dying server.
    await this.#options
      .routes()
      .remove(names.route)
      .catch((error: unknown) => log('warn', 'route could not be removed', { reason: reasonOf(error) }))
    try {
      await entry.running?.stop()
      await this.#clear(entry)
      log('info', 'server stopped', { user: user.name, server, reason })
    } catch (error) {
      log('error', 'server did not stop cleanly', { user: user.name, server, reason: reasonOf(error) })
    } finally {
      delete entry.running
      entry.phase = 'stopped'
    }
  }

  async #clear(entry: Entry): Promise<void> {
    const spawnerId = entry.begun?.spawnerId ?? entry.unclean
    if (spawnerId === undefined) return
    delete entry.begun
    // Kept until it succeeds: with a broken database the rows outlive the process, and the poll tries again.
    entry.unclean = spawnerId
    await clearSpawn(this.#options.db, spawnerId, entry.names.prefix)
    delete entry.unclean
  }
}
