import { describeWith } from '@org/services'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'

import { createTasks, defineJob, redisDriver, unchecked } from '../src/index.ts'
import { eventually, openWorld } from './support/world.ts'

await describeWith('redis', 'what Redis keeps of a job', () => {
  test('is its id once, as the key, however it was added', async () => {
    await using world = await openWorld()
    const url = inject('redisUrl') ?? ''
    await using tasks = createTasks({ driver: redisDriver({ connection: url, prefix: world.prefix }) })
    const job = defineJob({ name: 'job', queue: 'once', schema: unchecked<null>() })
    const added = [
      await tasks.enqueue(job, null),
      await tasks.enqueue(job, null, { delayMs: 1 }),
      await tasks.enqueue(job, null, { priority: 1, id: 'given' }),
      ...(await tasks.enqueueMany(job, [null, null])),
    ]
    const client = new Redis(url)
    const stored = await Promise.all(added.map(({ id }) => client.hget(`${world.prefix}:once:${id}`, 'opts')))
    client.disconnect()
    for (const opts of stored) expect(JSON.parse(opts!)).toMatchObject({ attempts: 3 })
    for (const opts of stored) expect(opts).not.toContain('jobId')
    const seen: string[] = []
    await using worker = tasks.worker([tasks.handle(job, (_payload, context) => void seen.push(context.job.id))])
    await worker.ready()
    await eventually(() => seen.length === added.length)
    expect(seen.toSorted()).toEqual(added.map(({ id }) => id).toSorted())
  })
})
