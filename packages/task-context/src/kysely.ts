import type { CompiledQuery, Kysely, KyselyPlugin, Transaction } from 'kysely'

import type { Database } from './database.ts'
import { TaskError } from './errors.ts'

/**
 * Lets jobs and requests use a Kysely instance: plugins apply to what handlers do, not to our own tables.
 *
 * @param db - On Postgres. Not closed by this package. Its pool needs a connection for each concurrent job.
 */
export function kyselyDatabase<Schema>(db: Kysely<Schema>): Database<Kysely<Schema>, Transaction<Schema>> {
  return {
    transaction: (use) => db.transaction().execute((handle) => endingWith(handle, use)),
    connection: (use) => db.connection().execute((handle) => endingWith(handle, use)),
    async query(handle, sql, parameters) {
      const result = await (handle ?? db).withoutPlugins().executeQuery(raw(sql, parameters))
      return result.rows as Record<string, unknown>[]
    },
  }
}

/** What is needed of a Kysely or a transaction, whatever its tables. */
interface Lent {
  readonly withPlugin: (plugin: KyselyPlugin) => unknown
  readonly getExecutor: () => { readonly provideConnection: (use: () => Promise<void>) => Promise<void> }
}

/** How long the end of a transaction waits for queries that were begun before it. */
const LAST_QUERIES_MS = 1000

/**
 * Lends a handle for as long as `use` runs.
 *
 * Kysely refuses a handle only once the answer to COMMIT or ROLLBACK is there, and that of a connection never: what
 * `use` has left running would write behind the end of the transaction, for good, or in that of the connection's next
 * owner. So what comes after the end is refused, and what was begun before is waited for.
 */
async function endingWith<Handle extends Lent, T>(handle: Handle, use: (handle: Handle) => Promise<T>): Promise<T> {
  let ended = false
  const guard: KyselyPlugin = {
    transformQuery({ node }) {
      if (ended)
        throw new TaskError('TASK_CLOSED', 'Expected an open transaction or connection: whoever lent it has it back')
      return node
    },
    transformResult: ({ result }) => Promise.resolve(result),
  }
  try {
    return await use(handle.withPlugin(guard) as Handle)
  } finally {
    ended = true
    await lastQueries(handle)
  }
}

/** Queries of one connection wait in line: an empty turn comes when those before are done. */
async function lastQueries(handle: Lent): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  // A stream that nobody reads on would keep its turn for ever.
  const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_QUERIES_MS)))
  const turn = handle.getExecutor().provideConnection(() => Promise.resolve())
  await Promise.race([turn.catch(() => {}), enough])
  clearTimeout(timer)
}

/** What Kysely's own `CompiledQuery.raw` makes; written out, as an import would make Kysely a must for everybody. */
function raw(sql: string, parameters: readonly unknown[]): CompiledQuery {
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const
  return { sql, parameters, query, queryId: { queryId: 'task-context' } }
}
