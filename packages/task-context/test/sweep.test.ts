import { expect, test } from 'vitest'

import { createTasks, defineJob, postgresDriver, unchecked } from '../src/index.ts'
import { sweep } from '../src/drivers/sweep.ts'
import { eventually, openWorld } from './support/world.ts'

test('keeps the newest completed jobs, as many and as long as asked', async () => {
  await using world = await openWorld()
  await using tasks = createTasks({ driver: postgresDriver({ connection: { connectionString: world.url, max: 4 } }) })
  const job = defineJob({ name: 'job', schema: unchecked<{ n: number }>() })
  let done = 0
  const worker = tasks.worker([tasks.handle(job, () => void (done += 1))])
  await tasks.enqueueMany(
    job,
    Array.from({ length: 20 }, (_, n) => ({ n })),
  )
  await eventually(() => done === 20)
  await worker.close()
  const queue = tasks.queue(job)! as unknown as Parameters<typeof sweep>[0]
  await sweep(queue, { ageSeconds: 3600, count: 5 })
  const kept = await queue.getJobs(['completed'])
  expect(kept.map(({ data }) => (data as { p: { n: number } }).p.n).sort((a, b) => a - b)).toEqual([15, 16, 17, 18, 19])
  await sweep(queue, { ageSeconds: 0, count: 5 })
  expect(await queue.getCompletedCount()).toBe(0)
})
