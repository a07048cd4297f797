import type { BackendFactory, ConnectionOptions, IQueueBackend, RedisQueueBackend } from 'bullmq'

import type { BullOptions } from './bullmq-types.ts'
import { bullDriver } from './bullmq.ts'
import { cutRedis } from './cut.ts'
import type { Driver } from './driver.ts'
import { tolerantRedisBackend } from './poison.ts'
import { redisWarnings } from './redis-warnings.ts'

/** Settings of {@link redisDriver}. */
export interface RedisDriverOptions extends BullOptions {
  /** A `redis://` address, or anything BullMQ takes as `connection`. */
  readonly connection: string | ConnectionOptions
  /** Start of every key. @default 'bull' */
  readonly prefix?: string
}

/**
 * Jobs in Redis, by BullMQ. Inside a transaction they wait in the outbox table until a relay moves them.
 *
 * Durable as far as Redis is: run it with an append-only file and `maxmemory-policy noeviction`.
 */
export function redisDriver({ connection, prefix, ...options }: RedisDriverOptions): Driver {
  let inspected = false
  const driver = bullDriver(
    {
      name: 'redis',
      connection: typeof connection === 'string' ? { url: connection, maxRetriesPerRequest: null } : connection,
      factory: redisBackend as unknown as BackendFactory<IQueueBackend, unknown>,
      cut: cutRedis,
      ...(prefix !== undefined && { prefix }),
    },
    options,
    { enlist: 'outbox' },
  )
  return {
    ...driver,
    /** Once: a process that starts many workers need not say it as often. */
    async inspect(queue) {
      if (inspected) return []
      inspected = true
      const { backend } = driver.queue(queue) as unknown as { readonly backend: RedisQueueBackend }
      return redisWarnings(await (await backend.client).info())
    },
  }
}

/**
 * BullMQ's backend, safe against damaged jobs, that stores a job's id as its key only. BullMQ stores it a second time
 * among the options, where nothing reads it: a tenth of a small job's memory, and of the time its options take to parse.
 */
const redisBackend: typeof tolerantRedisBackend = (name, options, factoryOptions) => {
  const backend = tolerantRedisBackend(name, options, factoryOptions)
  const add = backend.addJobToTransaction.bind(backend)
  backend.addJobToTransaction = (client, job, jobId, parent, keys) => {
    const { jobId: _, ...opts } = job.opts
    // Made for this call, other than its options, which the caller's job object shares.
    job.opts = opts
    return add(client, job, jobId, parent, keys)
  }
  return backend
}
