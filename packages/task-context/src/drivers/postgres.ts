import { AsyncLocalStorage } from 'node:async_hooks'

import {
  type BackendFactory,
  createPostgresBackend,
  type IQueueBackend,
  type PgPool,
  type PgPoolClient,
  type PgPoolConfig,
  quoteSchemaName,
} from 'bullmq'

import { runDetached } from '../context/scope.ts'
import { TaskError } from '../errors.ts'
import type { AnyQueue, BullOptions } from './bullmq-types.ts'
import { addRecords, bullDriver, openQueue } from './bullmq.ts'
import type { Driver, Query } from './driver.ts'

/** Settings of {@link postgresDriver}. */
export interface PostgresDriverOptions extends BullOptions {
  /** A `postgres://` address, or a configuration of `pg`. For transactional enqueue, of the application's own database. */
  readonly connection: string | PgPoolConfig
  /** Schema for BullMQ's tables. @default 'bullmq' */
  readonly schema?: string
  /** Create and update BullMQ's tables by itself; otherwise call BullMQ's `runMigrations` yourself. @default true */
  readonly migrate?: boolean
}

/**
 * Jobs in Postgres, by BullMQ's own Postgres backend; needs `pg`. Inside a transaction they are inserted by that very
 * transaction: there with its commit, gone with its rollback, and no Redis to run.
 */
export function postgresDriver(options: PostgresDriverOptions): Driver {
  const { connection, schema = 'bullmq', migrate = true, ...rest } = options
  const config = typeof connection === 'string' ? { connectionString: connection } : connection
  const factory = createPostgresBackend as unknown as BackendFactory<IQueueBackend, unknown>
  const backend = { name: 'postgres', connection: { ...config, schema, migrate }, factory }

  const callers = new AsyncLocalStorage<Query>()
  const pool = transactionPool(callers, schema)
  const producers = new Map<string, AnyQueue>()
  const producerOf = (name: string) => {
    let queue = producers.get(name)
    if (queue === undefined) {
      queue = runDetached(() => openQueue({ name: 'postgres', connection: pool, factory }, name, undefined))
      producers.set(name, queue)
    }
    return queue
  }

  const driver = bullDriver(
    backend,
    rest,
    {
      enlist: 'native',
      async addWithin(query, records) {
        // The tables have to be there, and only a connection of our own may make them.
        await driver.queue('default')?.waitUntilReady()
        return callers.run(query, () =>
          addRecords(producerOf, records, async (queue, id) => {
            const sql = `select data->>'k' as mark from ${quoteSchemaName(schema)}.job where queue = $1 and id = $2`
            const [row] = await query(sql, [queue, id])
            return row && { mark: row['mark'] }
          }),
        )
      },
    },
    async () => {
      await Promise.all([...producers.values()].map((queue) => queue.close()))
    },
  )
  return driver
}

/** All that BullMQ sends while it adds jobs; anything else would not belong into a caller's transaction. */
const ADDING = /\b(?=(?:add_job|add_jobs_bulk|add_flow)\()/

/**
 * A pool, as BullMQ sees it, whose one connection is the caller's transaction.
 *
 * Leans on three things that BullMQ does not promise: that adding sends one SQL function call, that a pool is known by
 * its shape, and that the first contact reads the table of migrations. `postgres-contract.test.ts` watches them.
 */
function transactionPool(callers: AsyncLocalStorage<Query>, schema: string): PgPool {
  const quoted = quoteSchemaName(schema)

  async function query(text: string, parameters: readonly unknown[] = []) {
    const caller = callers.getStore()
    const [before, after, ...more] = text.split(ADDING)
    if (caller === undefined || before === undefined || after === undefined || more.length > 0) {
      throw new TaskError(
        'TASK_DRIVER_CONTRACT',
        'BullMQ sent SQL that this version does not know; pin bullmq to ^6.7.0',
      )
    }
    // The function brings its own search_path; only its name has to be found from the caller's.
    const rows = await caller(`${before}${quoted}.${after}`, parameters)
    return { rows: rows as never[] }
  }

  /** The check whether the tables are there; `migrate` has been seen to by the ordinary connection. */
  const bootstrap = {
    query: () =>
      Promise.resolve({ rows: [{ version: 0, min_client_version: 6, server_version_num: '150000' }] as never[] }),
    release() {},
  } as unknown as PgPoolClient

  return {
    query,
    connect: () => Promise.resolve(bootstrap),
    end: () => Promise.resolve(),
    on() {
      return this
    },
    removeAllListeners() {
      return this
    },
  } as PgPool
}
