import type { Accounts } from './accounts.ts'
import type { Config } from './config/config.ts'
import type { Databases } from './databases/databases.ts'
import { RequestError } from './errors.ts'
import type { RequestMetrics } from './http/metrics.ts'
import type { Log } from './log.ts'
import type { Forms } from './pages/forms.ts'
import type { Requester } from './requester.ts'
import type { JsonText } from './rest/json-text.ts'
import type { RouteTable } from './proxy/routes.ts'
import type { Phase } from './spawners/entry.ts'
import type { Servers } from './spawners/servers.ts'
import type { ChangeMark, Recall } from './store/recall.ts'
import { spawnersOf } from './store/spawners.ts'
import type { Database } from './store/tables.ts'
import type { TokenUses } from './store/token-uses.ts'
import { findUser, membershipsOf, type User } from './store/users.ts'

/** What a shutdown on request keeps running; what is not said follows the configuration. */
export interface ShutdownWishes {
  readonly proxy?: boolean | undefined
  readonly servers?: boolean | undefined
}

/** The parts of a running hub, as the API and the pages see them. */
export interface HubParts {
  readonly config: Config
  readonly db: Database
  readonly now: () => Date
  readonly log: Log
  readonly servers: Servers
  readonly accounts: Accounts
  readonly forms: Forms
  readonly databases: Databases
  readonly requests: RequestMetrics
  /** Tells whether the database has changed; asked once a request. */
  readonly mark: ChangeMark
  /** Who presented tokens belong to, by their hash, as long as the database stays as it is. */
  readonly requesters: Recall<Requester>
  /** Answers to readings, as long as the database and the table of servers stay as they are. */
  readonly readings: Recall<JsonText>
  readonly uses: TokenUses
  readonly routes: () => RouteTable
  readonly checkRoutes: () => Promise<void>
  readonly requestShutdown: (wishes: ShutdownWishes) => void
}

/** A running hub: its parts, and the few questions that API and pages both ask. */
export interface Hub extends HubParts {
  /** The groups of a user by name. */
  groupsOf(userName: string): Promise<readonly string[]>
  /** Throws a {@link RequestError} 400 when a user may not have a server of this name. */
  checkServerName(user: User, server: string): Promise<void>
  /** The server that a path below `user/NAME/` belongs to: the named one if there is one of that name. */
  serverInPath(userName: string, rest: readonly string[]): Promise<{ readonly name: string; readonly phase: Phase }>
}

/** Puts the parts together. */
export function createHub(parts: HubParts): Hub {
  const { db, config, servers } = parts
  return {
    ...parts,

    async groupsOf(userName) {
      const user = await findUser(db, userName)
      return user === undefined ? [] : ((await membershipsOf(db, [user.id])).groups.get(user.id) ?? [])
    },

    async checkServerName(user, server) {
      const most = config.limits.named_servers
      if (server === '') return
      if (most === 0) throw new RequestError(400, 'Named servers are not enabled.')
      if (server.length > 255 || /[/\p{Cc}]/u.test(server) || server === '.' || server === '..') {
        throw new RequestError(400, `Invalid server name: ${server}`)
      }
      const named = (await spawnersOf(db, [user.id])).filter(({ name }) => name !== '')
      if (named.length >= most && !named.some(({ name }) => name === server)) {
        throw new RequestError(
          400,
          `User ${user.name} already has the maximum of ${most} named servers.` +
            '  One must be deleted before a new server can be created',
        )
      }
    },

    async serverInPath(userName, rest) {
      const user = await findUser(db, userName)
      if (user === undefined) return { name: '', phase: 'stopped' }
      const first = decoded(rest[0] ?? '')
      const stored = first === '' ? [] : await spawnersOf(db, [user.id])
      const name = stored.some(({ name: known }) => known === first) ? first : ''
      return { name, phase: servers.table.phase(user.id, name) }
    },
  }
}

/** A path segment as text; one that cannot be read stands for itself, and names nothing. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
