import { setTimeout as delay } from 'node:timers/promises'

import { HubError, reasonOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { RouteTable } from '../proxy/routes.ts'
import { SERVER_TOKEN_SCOPES } from '../store/roles.ts'
import { beginSpawn, finishSpawn } from '../store/spawners.ts'
import type { Database } from '../store/tables.ts'
import type { User } from '../store/users.ts'
import { isFree } from '../system/ports.ts'
import type { Entry } from './entry.ts'
import type { ServerNames } from './names.ts'
import { answers } from './readiness.ts'
import type { RunningServer, Spawner } from './spawner.ts'

/** What servers are started and kept with. */
export interface ServersOptions {
  readonly db: Database
  readonly spawner: Spawner
  readonly routes: () => RouteTable
  readonly baseUrl: string
  /** The environment of one server, without its address. */
  readonly environment: (user: User, server: string, names: ServerNames, token: string) => Record<string, string>
  readonly startTimeoutMs: number
  readonly pollIntervalMs: number
  readonly concurrentSpawns: number
  readonly activeServers: number
  readonly now: () => Date
  readonly log: Log
}

/** Where the proxy sends what is for a server. */
export const targetOf = ({ address }: RunningServer): string => `http://${address.ip}:${address.port}`

/**
 * Starts one server: rows, process, first answer, address, route, in this order.
 *
 * A failure leaves no process; the rows are the caller's to take back.
 */
export async function startServer(
  options: ServersOptions,
  entry: Entry,
  userOptions: unknown,
  signal: AbortSignal,
): Promise<RunningServer> {
  const { db, spawner, now } = options
  const { user, server, names } = entry
  const begun = await beginSpawn(
    db,
    {
      user,
      name: server,
      userOptions,
      prefix: names.prefix,
      clientId: names.clientId,
      cookieName: names.clientId,
      allowedScopes: [`access:servers!server=${user.name}/${server}`],
      tokenScopes: SERVER_TOKEN_SCOPES,
    },
    now(),
  )
  entry.begun = begun
  const env = options.environment(user, server, names, begun.token)
  const progress = (percent: number, message: string) => entry.progress.add({ progress: percent, message })
  progress(10, 'Starting the server')
  for (let attempt = 1; ; attempt += 1) {
    const running = await spawner.start({ user: user.name, server, prefix: names.prefix, env, progress, signal })
    try {
      progress(50, 'Waiting for the server to answer')
      await untilReady(running, names.prefix, signal)
      progress(80, 'Opening the way to it')
      await finishSpawn(db, begun, running.address, running.state)
      const target = targetOf(running)
      entry.routed = target
      const route = { target, jupyterhub: true, user: user.name, server_name: server }
      await options.routes().set(names.route, route)
      signal.throwIfAborted()
      return running
    } catch (error) {
      const stopped = await end(options, entry, running)
      if (!(error instanceof EndedEarly) || !stopped || attempt >= MOST_ATTEMPTS) throw error
      // Another program was quicker: the port was free when it was chosen, and is not now that the server is gone.
      if (await isFree(running.address.ip, running.address.port)) throw error
      progress(10, 'Its port was taken meanwhile, trying another')
    }
  }
}

/** How often a server is started whose port others take. */
const MOST_ATTEMPTS = 3

/** A server that ended before it answered. */
class EndedEarly extends HubError {
  constructor() {
    super('HUB_SPAWN_FAILED', 'The server ended before it answered')
  }
}

/** Ends what did not start properly; whether it has. */
async function end(
  { spawner, log }: ServersOptions,
  { user, server }: Entry,
  running: RunningServer,
): Promise<boolean> {
  try {
    await running.stop()
    return true
  } catch (trouble) {
    log('error', 'server could not be stopped', { user: user.name, server, reason: reasonOf(trouble) })
    spawner.abandon?.(user.name, server)
    return false
  }
}

async function untilReady(running: RunningServer, path: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    if ((await running.status()) !== undefined) throw new EndedEarly()
    if (await answers(running.address, path, 1000)) return
    await delay(50, undefined, { signal }).catch(() => {})
  }
}
