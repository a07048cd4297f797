import type { BackendFactory, ConnectionOptions, IQueueBackend } from 'bullmq'

import type { BullOptions } from './bullmq-types.ts'
import { bullDriver } from './bullmq.ts'
import type { Driver } from './driver.ts'
import { tolerantRedisBackend } from './poison.ts'

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
  return bullDriver(
    {
      name: 'redis',
      connection: typeof connection === 'string' ? { url: connection, maxRetriesPerRequest: null } : connection,
      factory: tolerantRedisBackend as unknown as BackendFactory<IQueueBackend, unknown>,
      ...(prefix !== undefined && { prefix }),
    },
    options,
    { enlist: 'outbox' },
  )
}
