import { HubError, reasonOf } from '../errors.ts'
import { clearSpawn } from '../store/spawners.ts'
import { type Entry, failedEvent, failureOf, readyEvent } from './entry.ts'
import { ProgressLog } from './progress.ts'
import type { ServerTable } from './server-table.ts'
import type { RunningServer } from './spawner.ts'
import { type ServersOptions, startServer, targetOf } from './start-server.ts'

/** Takes single servers through their life, from the first row to the last; decides nothing. */
export class Lifecycle {
  readonly #options: ServersOptions
  readonly #table: ServerTable

  constructor(options: ServersOptions, table: ServerTable) {
    this.#options = options
    this.#table = table
  }

  /** Begins the start of a stopped server; `entry.work` ends with it. */
  begin(entry: Entry, userOptions: unknown): void {
    delete entry.failure
    entry.progress = new ProgressLog()
    entry.cancel = new AbortController()
    this.#table.move(entry, 'spawn')
    entry.progress.add({ progress: 0, message: 'Server requested' })
    const { signal } = entry.cancel
    // What was left of the last run is taken back first, or by whoever does it just now.
    entry.work = entry.work.then(() => this.#spawn(entry, userOptions, signal))
  }

  /** Begins the stop of a running server; `entry.work` ends with it. */
  end(entry: Entry, reason: string): void {
    this.#table.move(entry, 'stop')
    entry.work = this.#stop(entry, reason)
  }

  /** Tidies up behind a server that ended by itself. */
  async collect(entry: Entry, reason: string): Promise<void> {
    if (entry.phase !== 'ready') return
    this.end(entry, reason)
    await entry.work
  }

  /** Takes a server that answers as running, until it ends. */
  watchOver(entry: Entry, running: RunningServer): void {
    entry.running = running
    entry.routed = targetOf(running)
    this.#table.move(entry, 'ready')
    void running.ended.then((reason) => {
      if (entry.running === running && entry.phase === 'ready') return this.collect(entry, reason)
      return undefined
    })
  }

  /** Tries again to take back the rows of a stopped server. */
  async tidy(entry: Entry): Promise<void> {
    if (entry.unclean === undefined || entry.phase !== 'stopped') return
    entry.work = this.#clear(entry).catch(() => {})
    await entry.work
  }

  /** Takes back the rows of a server that no longer runs. */
  async #clear(entry: Entry): Promise<void> {
    const spawnerId = entry.begun?.spawnerId ?? entry.unclean
    if (spawnerId === undefined) return
    delete entry.begun
    // Kept until it succeeds: with a broken database the rows outlive the process, and the poll tries again.
    entry.unclean = spawnerId
    await clearSpawn(this.#options.db, spawnerId, entry.names.prefix)
    delete entry.unclean
  }

  async #spawn(entry: Entry, userOptions: unknown, cancelled: AbortSignal): Promise<void> {
    const { log, startTimeoutMs } = this.#options
    const { user, server, names } = entry
    const overrun = new AbortController()
    const timer = setTimeout(() => {
      overrun.abort(new HubError('HUB_SPAWN_FAILED', `The server did not answer within ${startTimeoutMs / 1000} s`))
    }, startTimeoutMs)
    try {
      if (entry.unclean !== undefined) await this.#clear(entry)
      const running = await startServer(this.#options, entry, userOptions, AbortSignal.any([cancelled, overrun.signal]))
      this.watchOver(entry, running)
      entry.progress.add(readyEvent(entry))
      log('info', 'server ready', { user: user.name, server })
    } catch (error) {
      entry.failure = failureOf(error)
      log('warn', 'server did not start', { user: user.name, server, reason: entry.failure.message })
      delete entry.routed
      await this.#options
        .routes()
        .remove(names.route)
        .catch(() => {})
      await this.#clear(entry).catch(() => {})
      this.#table.move(entry, 'stopped')
      entry.progress.add(failedEvent(entry))
    } finally {
      clearTimeout(timer)
      delete entry.cancel
    }
  }

  async #stop(entry: Entry, reason: string): Promise<void> {
    const { log } = this.#options
    const { user, server, names } = entry
    const target = entry.routed
    // The route first: from here on browsers get the hub's page rather than a dying server.
    delete entry.routed
    await this.#options
      .routes()
      .remove(names.route)
      .catch((error: unknown) => log('warn', 'route could not be removed', { reason: reasonOf(error) }))
    try {
      await entry.running?.stop()
    } catch (error) {
      log('error', 'server could not be stopped', { user: user.name, server, reason: reasonOf(error) })
      await this.#keep(entry, target)
      return
    }
    delete entry.running
    try {
      await this.#clear(entry)
      log('info', 'server stopped', { user: user.name, server, reason })
    } catch (error) {
      log('error', 'server left rows behind', { user: user.name, server, reason: reasonOf(error) })
    }
    this.#table.move(entry, 'stopped')
  }

  /** Goes on with a server that would not stop: as long as it may run it must be known. */
  async #keep(entry: Entry, target: string | undefined): Promise<void> {
    const { names, user, server } = entry
    if (target !== undefined) {
      entry.routed = target
      const route = { target, jupyterhub: true, user: user.name, server_name: server }
      // The comparison of routes makes up for a proxy that is away.
      await this.#options
        .routes()
        .set(names.route, route)
        .catch(() => {})
    }
    this.#table.move(entry, 'ready')
  }
}
