import type { AsyncLocalStorage } from 'node:async_hooks'

import { type PgPool, type PgPoolClient, quoteSchemaName } from 'bullmq'

import { TaskError } from '../errors.ts'
import type { Query } from './driver.ts'

/** All that BullMQ sends while it adds jobs; anything else would not belong into a caller's transaction. */
const ADDING = /\b(?=(?:add_job|add_jobs_bulk|add_flow)\()/

/**
 * A pool, as BullMQ sees it, whose one connection is the caller's transaction.
 *
 * Leans on three things that BullMQ does not promise: that adding sends one SQL function call, that a pool is known by
 * its shape, and that the first contact reads the table of migrations. `transaction-pool.test.ts` watches them.
 */
export function transactionPool(callers: AsyncLocalStorage<Query>, schema: string): PgPool {
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
