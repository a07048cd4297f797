import { activeServers, clearSpawn } from '../store/spawners.ts'
import type { Lifecycle } from './lifecycle.ts'
import { answers } from './readiness.ts'
import type { ServerTable } from './server-table.ts'
import type { ServersOptions } from './start-server.ts'

/** What became of the servers of a former hub. */
export interface Adoption {
  readonly adopted: number
  /** Those whose process or container is gone, or does not answer. */
  readonly lost: number
  /** Processes and containers that no row belonged to. */
  readonly swept: number
}

/** Finds the servers of a former hub again, takes back the rows of lost ones, and ends what nobody knows. */
export async function adoptServers(options: ServersOptions, table: ServerTable, life: Lifecycle): Promise<Adoption> {
  const { db, spawner, log } = options
  let lost = 0
  for (const stored of await activeServers(db)) {
    const entry = table.entry(stored.user, stored.spawner.name)
    const state = JSON.parse(stored.spawner.state ?? '{}') as Record<string, unknown>
    const address = { ip: stored.server?.ip ?? '', port: stored.server?.port ?? 0 }
    const running = address.port === 0 ? undefined : await spawner.adopt(state, address)
    if (running !== undefined && (await answers(address, entry.names.prefix, 2000))) {
      entry.begun = { spawnerId: stored.spawner.id, serverId: stored.spawner.server_id as number }
      life.watchOver(entry, running)
      log('info', 'server found again', { user: entry.user.name, server: entry.server })
    } else {
      lost += 1
      await running?.stop()
      await clearSpawn(db, stored.spawner.id, entry.names.prefix)
      log('warn', 'server lost', { user: entry.user.name, server: entry.server })
    }
  }
  const known = table.all().flatMap(({ running }) => running ?? [])
  return { adopted: known.length, lost, swept: await spawner.sweep(known) }
}
