import path from 'node:path'

import type { Config } from './config/config.ts'
import { ensureHubClient } from './store/oauth.ts'
import { openPostgres, openSqlite, type OpenDatabase } from './store/open.ts'
import { ensureRoleMembers, ensureRoles } from './store/roles.ts'
import { ensureSchema } from './store/schema.ts'
import { ensureServices } from './store/services.ts'
import { HubError, reasonOf } from './errors.ts'

/** The SQLite file of a hub, named as JupyterHub names it. */
export function databaseFile(config: Pick<Config, 'data_dir'>): string {
  return path.join(config.data_dir, 'jupyterhub.sqlite')
}

/** Opens the database of a configuration without looking into it. */
export async function openConfigured(config: Pick<Config, 'data_dir' | 'database_url'>): Promise<OpenDatabase> {
  return config.database_url === undefined ? openSqlite(databaseFile(config)) : openPostgres(config.database_url)
}

/**
 * Opens the hub's database and brings its schema, roles and services to what the configuration says.
 *
 * @throws {@link HubError} `HUB_DATABASE`.
 */
export async function openHubDatabase(config: Config, now: Date): Promise<OpenDatabase> {
  const open = await openConfigured(config)
  try {
    await ensureSchema(open.db, open.kind)
    await ensureHubClient(open.db)
    await ensureRoles(open.db, config.roles)
    await ensureRoleMembers(open.db, config.roles, now)
    await ensureServices(open.db, config.services, now)
    return open
  } catch (error) {
    await open[Symbol.asyncDispose]()
    if (error instanceof HubError) throw error
    throw new HubError('HUB_DATABASE', `The database cannot be used: ${reasonOf(error)}`, { cause: error })
  }
}
