import { describeWith, startRedis } from '@org/services'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'

import { createTasks, defineJob, redisDriver, unchecked } from '../src/index.ts'
import { eventually } from './support/world.ts'

await describeWith('redis', 'a Redis that may lose jobs', () => {
  test.each([
    { appendOnly: false, policy: 'allkeys-lru', codes: ['TASK_REDIS_EVICTS', 'TASK_REDIS_FORGETS'] },
    { appendOnly: true, policy: 'noeviction', codes: [] },
  ])('is warned of when workers start, once: $codes', async ({ appendOnly, policy, codes }) => {
    await using server = await startRedis({ appendOnly })
    const client = new Redis(server.url)
    await client.config('SET', 'maxmemory-policy', policy)
    client.disconnect()
    const warned: unknown[] = []
    await using tasks = createTasks({
      driver: redisDriver({ connection: server.url }),
      logger: () => ({
        info() {},
        error() {},
        warn: (details, message) => void warned.push([(details as { code: string }).code, message]),
      }),
    })
    const job = defineJob({ name: 'job', schema: unchecked<null>() })
    const seen: string[] = []
    const handler = tasks.handle(job, (_payload, context) => void seen.push(context.job.id))
    await using first = tasks.worker([handler])
    await using second = tasks.worker([handler])
    await Promise.all([first.ready(), second.ready()])
    // Asked for before the first job, on a connection that answers in order.
    await tasks.enqueue(job, null)
    await eventually(() => seen.length === 1 && warned.length >= codes.length)
    expect(warned).toEqual(codes.map((code) => [code, expect.stringMatching(/^Expected `(maxmemory|appendonly)/)]))
  })
})
