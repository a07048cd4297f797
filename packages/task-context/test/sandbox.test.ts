import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { describeWith } from '@org/services'
import { QueueEvents, Worker } from 'bullmq'
import { expect, inject, test } from 'vitest'

import { createTasks, defineJob, kyselyDatabase, redisDriver, unchecked } from '../src/index.ts'
import { openWorld } from './support/world.ts'

await describeWith('redis', "BullMQ's sandbox", () => {
  test('has the context again in the child, and its own database session', async () => {
    await using world = await openWorld()
    const connection = { url: inject('redisUrl') ?? '', maxRetriesPerRequest: null }
    const { prefix } = world
    await using tasks = createTasks({
      driver: redisDriver({ connection, prefix }),
      database: kyselyDatabase(world.db),
    })
    await tasks.migrate()
    const job = defineJob({ name: 'report', queue: 'reports', schema: unchecked<{ id: string }>() })
    const events = new QueueEvents('reports', { connection, prefix })
    await events.waitUntilReady()
    const worker = new Worker('reports', pathToFileURL(path.join(import.meta.dirname, 'support/sandboxed.ts')), {
      connection,
      prefix,
      workerForkOptions: {
        execArgv: ['--conditions=@org/source'],
        env: { ...process.env, TEST_URL: world.url },
      },
    })
    try {
      const { id } = await tasks.runInContext({ requestId: 'r', actor: 'user:1' }, () =>
        tasks.enqueue(job, { id: 'sandboxed' }),
      )
      const added = await tasks.queue(job)!.getJob(id)
      const result = (await added!.waitUntilFinished(events)) as { pid: number }
      expect(result).toMatchObject({ requestId: 'r', actor: 'user:1', same: true })
      expect(result.pid).not.toBe(process.pid)
      expect(await world.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'sandboxed' }])
    } finally {
      await worker.close()
      await events.close()
    }
  })
})
