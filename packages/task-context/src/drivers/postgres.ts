import { AsyncLocalStorage } from 'node:async_hooks'

import {
  type BackendFactory,
  createPostgresBackend,
  type IQueueBackend,
  type PgPoolConfig,
  quoteSchemaName,
} from 'bullmq'

import { runDetached } from '../context/scope.ts'
import type { AnyQueue, BullOptions } from './bullmq-types.ts'
import { addRecords, bullDriver, openQueue } from './bullmq.ts'
import type { Driver, Query } from './driver.ts'
import { transactionPool } from './transaction-pool.ts'

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
  const backend = { name: 'postgres', connection: { ...config, schema, migrate }, factory, sweeps: true }

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
