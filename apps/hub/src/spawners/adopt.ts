import { reasonOf } from '../errors.ts'
import { activeServers, clearSpawn, type StoredServer } from '../store/spawners.ts'
import type { Entry } from './entry.ts'
import type { Lifecycle } from './lifecycle.ts'
import { answers } from './readiness.ts'
import type { ServerTable } from './server-table.ts'
import type { ServersOptions } from './start-server.ts'

/** What became of the servers of a former hub. */
export interface Adoption {
  readonly adopted: number
  /** Those whose process or container is gone. */
  readonly lost: number
  /** Processes and containers that no row belonged to. */
  readonly swept: number
}

/**
 * Finds the servers of a former hub again, takes back the rows of lost ones, and ends what nobody knows.
 *
 * To be done before anybody can ask for a start: what is not known yet would be started twice, and what has just been
 * started would be taken for a stranger.
 */
export async function adoptServers(options: ServersOptions, table: ServerTable, life: Lifecycle): Promise<Adoption> {
  const stored = await activeServers(options.db)
  const found = await Promise.all(stored.map((each) => findAgain(options, table, life, each)))
  const adopted = found.flatMap((entry) => entry ?? [])
  const running = adopted.flatMap((entry) => entry.running ?? [])
  const swept = await options.spawner.sweep(running).catch((error: unknown) => {
    // An engine that is away keeps its containers: they are looked for at the next start.
    options.log('warn', 'servers of nobody could not be looked for', { reason: reasonOf(error) })
    return 0
  })
  for (const entry of adopted) void confirm(options, life, entry)
  return { adopted: adopted.length, lost: stored.length - adopted.length, swept }
}

async function findAgain(
  { db, spawner, log }: ServersOptions,
  table: ServerTable,
  life: Lifecycle,
  stored: StoredServer,
): Promise<Entry | undefined> {
  const entry = table.entry(stored.user, stored.spawner.name)
  const who = { user: entry.user.name, server: entry.server }
  const state = JSON.parse(stored.spawner.state ?? '{}') as Record<string, unknown>
  const address = { ip: stored.server?.ip ?? '', port: stored.server?.port ?? 0 }
  const running = address.port === 0 ? undefined : await spawner.adopt(state, address)
  if (running === undefined) {
    await clearSpawn(db, stored.spawner.id, entry.names.prefix)
    log('warn', 'server lost', who)
    return undefined
  }
  entry.begun = { spawnerId: stored.spawner.id, serverId: stored.spawner.server_id as number }
  life.watchOver(entry, running)
  log('info', 'server found again', who)
  return entry
}

/** Ends a server that was found but does not answer, after as long as a start may take: it may be busy. */
async function confirm({ startTimeoutMs }: ServersOptions, life: Lifecycle, entry: Entry): Promise<void> {
  const { running, names } = entry
  if (running === undefined || (await answers(running.address, names.prefix, startTimeoutMs))) return
  if (entry.running === running) await life.collect(entry, 'it does not answer')
}
