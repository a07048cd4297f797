import type { User } from '../store/users.ts'
import { type Entry, keyOf, type Phase } from './entry.ts'
import { type ServerNames, serverNames } from './names.ts'
import { ProgressLog } from './progress.ts'

/** The single-user servers that a running hub knows, and where each is in its life. Lives in memory alone. */
export class ServerTable {
  readonly #baseUrl: string
  readonly #entries = new Map<string, Entry>()
  #changes = 0

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl
  }

  /** Grows whenever a server moves on: what was made from the table before is old then. */
  get changes(): number {
    return this.#changes
  }

  /** Where a server is in its life. */
  phase(userId: number, server: string): Phase {
    return this.find(userId, server)?.phase ?? 'stopped'
  }

  /** What is pending for a server: as the API words it. */
  pending(userId: number, server: string): 'spawn' | 'stop' | null {
    const phase = this.phase(userId, server)
    return phase === 'spawn' || phase === 'stop' ? phase : null
  }

  /** Why the last start failed, until the next one. */
  failure(userId: number, server: string): string | undefined {
    return this.find(userId, server)?.failure?.message
  }

  /** The names and addresses of a server. */
  names(user: Pick<User, 'name'>, server: string): ServerNames {
    return serverNames(this.#baseUrl, user.name, server)
  }

  /** The routes that the proxy should have at this moment. */
  expectedRoutes(): Map<string, { readonly target: string; readonly user: string; readonly server_name: string }> {
    const routes = new Map<string, { target: string; user: string; server_name: string }>()
    for (const { routed, names, user, server } of this.#entries.values()) {
      if (routed !== undefined) routes.set(names.route, { target: routed, user: user.name, server_name: server })
    }
    return routes
  }

  /** Keys of the users who have a server that answers. */
  readyUserIds(): number[] {
    return [...new Set(this.all().flatMap(({ phase, user }) => (phase === 'ready' ? user.id : [])))]
  }

  /** Counts by phase, for metrics and limits. */
  counts(): { readonly running: number; readonly spawning: number; readonly stopping: number } {
    const count = (wanted: Phase) => this.all().filter(({ phase }) => phase === wanted).length
    return { running: count('ready'), spawning: count('spawn'), stopping: count('stop') }
  }

  /** The servers of a user that run, start or stop. */
  activeOf(userId: number): Entry[] {
    return this.all().filter(({ user, phase }) => user.id === userId && phase !== 'stopped')
  }

  /** Every entry there is at the moment. */
  all(): Entry[] {
    return [...this.#entries.values()]
  }

  /** The entry of a server, `undefined` when it was never asked for. */
  find(userId: number, server: string): Entry | undefined {
    return this.#entries.get(keyOf(userId, server))
  }

  /** The entry of a server, made at the first use. */
  entry(user: User, server: string): Entry {
    const known = this.find(user.id, server)
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
    this.#entries.set(keyOf(user.id, server), entry)
    return entry
  }

  /** Takes a server to the next moment of its life. */
  move(entry: Entry, phase: Phase): void {
    entry.phase = phase
    this.#changes += 1
  }

  /** Forgets a server that is stopped. */
  remove(userId: number, server: string): void {
    this.#entries.delete(keyOf(userId, server))
    this.#changes += 1
  }

  /** Forgets all servers of a user: his key may become another's. */
  removeAll(userId: number): void {
    for (const { user, server } of this.all()) if (user.id === userId) this.remove(userId, server)
  }
}
