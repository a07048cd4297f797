import type { CompiledQuery, Kysely, Transaction } from 'kysely'

import type { Database } from './database.ts'

/**
 * Lets jobs and requests use a Kysely instance: plugins apply to what handlers do, not to our own tables.
 *
 * @param db - On Postgres. Not closed by this package. Its pool needs a connection for each concurrent job.
 */
export function kyselyDatabase<Schema>(db: Kysely<Schema>): Database<Kysely<Schema>, Transaction<Schema>> {
  return {
    transaction: (use) => db.transaction().execute(use),
    connection: (use) => db.connection().execute(use),
    async query(handle, sql, parameters) {
      const result = await (handle ?? db).withoutPlugins().executeQuery(raw(sql, parameters))
      return result.rows as Record<string, unknown>[]
    },
  }
}

/** What Kysely's own `CompiledQuery.raw` makes; written out, as an import would make Kysely a must for everybody. */
function raw(sql: string, parameters: readonly unknown[]): CompiledQuery {
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const
  return { sql, parameters, query, queryId: { queryId: 'task-context' } }
}
