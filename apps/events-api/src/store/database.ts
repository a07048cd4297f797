import { softDeletePlugin } from '@org/soft-delete'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'

import type { Database, Resource, Tables } from '../resources/resource.ts'
import { createSoftDeletion, type SoftDeletion } from './trash.ts'

/** A pool of connections behind Kysely, with soft deletion in every query. */
export interface Store extends AsyncDisposable {
  readonly db: Database
  readonly pool: pg.Pool
  readonly softDeletion: SoftDeletion
}

/**
 * Opens the database.
 *
 * @param resources - As declared: soft deletion hides what is in the trash also where configuration turned it off.
 * @param options - `max`: connections; each request in a transaction and each running job holds one.
 */
export function openStore(
  url: string,
  resources: readonly Resource[],
  options: { readonly max: number; readonly retentionDays: number; readonly onError: (error: Error) => void },
): Store {
  const pool = new pg.Pool({ connectionString: url, max: options.max, connectionTimeoutMillis: 10_000 })
  // An idle connection that breaks must not end the process; the next query opens another.
  pool.on('error', options.onError)
  // One that breaks while it is lent out tells whoever asks next; but an event that nobody hears ends the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  const softDeletion = createSoftDeletion(resources, options.retentionDays)
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    plugins: [softDeletePlugin(softDeletion)],
  })
  return {
    db,
    pool,
    softDeletion,
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}
