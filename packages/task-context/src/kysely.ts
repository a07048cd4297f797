import type { CompiledQuery, Kysely, QueryExecutor, Transaction } from 'kysely'

import type { Database } from './database.ts'
import { TaskError } from './errors.ts'
import { settlesWithin } from './internal/in-time.ts'

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
  const lease: Lease = { ended: false, returned: false }
  const executor = handle.getExecutor()
  const untouched = executor.provideConnection.bind(executor)
  guard(executor, lease)
  try {
    return await use(handle)
  } finally {
    lease.ended = true
    // Queries of one connection wait in line: an empty turn comes when those before are done. A stream that nobody
    // reads on would keep its turn for ever.
    await settlesWithin(
      untouched(() => Promise.resolve()),
      LAST_QUERIES_MS,
    )
    lease.returned = true
  }
}

/** What is needed of a Kysely or a transaction, whatever its tables. */
interface Lent {
  readonly getExecutor: () => QueryExecutor
}

/** Nothing may begin once it has `ended`; what still stands in line may not even go on once it is `returned`. */
interface Lease {
  ended: boolean
  returned: boolean
}

/** Each asks Kysely first whether the transaction has ended, which has no code to tell it with. */
const ASKING = ['executeQuery', 'stream'] as const

/** Each makes an executor of another: handles `withSchema`, `withoutPlugins` and so on are on the same lease. */
const DERIVING = ['withConnectionProvider', 'withPlugin', 'withPlugins', 'withPluginAtFront', 'withoutPlugins'] as const

/**
 * Ties an executor, which has to be of this lease only, to it. At the connection, where all queries pass, those too that
 * were compiled elsewhere.
 */
function guard(executor: QueryExecutor, lease: Lease): QueryExecutor {
  const check = (over: boolean) => {
    if (!over) return
    throw new TaskError('TASK_CLOSED', 'Expected an open transaction or connection: whoever lent it has it back')
  }
  const provide = executor.provideConnection.bind(executor)
  const asking = ASKING.map((name) => {
    const ask = executor[name].bind(executor) as (...given: unknown[]) => unknown
    const checked = (...given: unknown[]) => {
      check(lease.ended)
      return ask(...given)
    }
    return [name, checked] as const
  })
  const deriving = DERIVING.map((name) => {
    const derive = executor[name].bind(executor) as (...given: unknown[]) => QueryExecutor
    return [name, (...given: unknown[]) => guard(derive(...given), lease)] as const
  })
  const provideConnection: QueryExecutor['provideConnection'] = async (use, options) => {
    check(lease.ended)
    return provide((connection) => {
      check(lease.returned)
      return use(connection)
    }, options)
  }
  return Object.assign(executor, Object.fromEntries<unknown>([...asking, ...deriving]), { provideConnection })
}

/** What Kysely's own `CompiledQuery.raw` makes; written out, as an import would make Kysely a must for everybody. */
function raw(sql: string, parameters: readonly unknown[]): CompiledQuery {
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const
  return { sql, parameters, query, queryId: { queryId: 'task-context' } }
}
