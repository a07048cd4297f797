import { setTimeout as pause } from 'node:timers/promises'

import { describeWith, startRedis } from '@org/services'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTasks, defineJob, kyselyDatabase, redisDriver, unchecked } from '../src/index.ts'
import { eventually, openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

let count = 0
async function setUp() {
  const redis = await startRedis()
  count += 1
  const errors: Error[] = []
  const tasks = createTasks({
    driver: redisDriver({ connection: redis.url, lockMs: 1000, stalledCheckMs: 200 }),
    database: kyselyDatabase(world.db),
    onError: (error) => errors.push(error),
    // A busy machine may need a second for an enqueue that is answered.
    enqueueTimeoutMs: 3000,
    relay: { intervalMs: 50 },
  })
  await tasks.migrate()
  const job = defineJob({ name: 'job', queue: `dead${count}`, schema: unchecked<null>() })
  return { redis, tasks, job, errors }
}

const inOutbox = async (queue: string) => {
  const rows = await world.db.selectFrom('task_outbox').select('id').where('queue', '=', queue).execute()
  return rows.length
}

await describeWith('redis', 'a Redis that is gone', () => {
  // Each ends by itself or not at all: what they wait for is the limit that they test.
  describe.concurrent('keeps nobody from closing', () => {
    test('tasks with an enqueue that is not answered', async () => {
      const { redis, tasks, job } = await setUp()
      await tasks.enqueue(job, null)
      await redis[Symbol.asyncDispose]()
      await expect(tasks.enqueue(job, null)).rejects.toMatchObject({ code: 'TASK_ENQUEUE_UNCERTAIN' })
      await tasks[Symbol.asyncDispose]()
    })

    test('tasks whose relay is at work, and the outbox keeps what it holds', async () => {
      const { redis, tasks, job } = await setUp()
      await tasks.enqueue(job, null)
      await redis[Symbol.asyncDispose]()
      await tasks.transaction(() => tasks.enqueue(job, null))
      await tasks[Symbol.asyncDispose]()
      expect(await inOutbox(job.queue)).toBe(1)
    })

    test.each(['idle', 'busy', 'connecting'])('a worker that is %s', async (how) => {
      const { redis, tasks, job } = await setUp()
      const begun = Promise.withResolvers<void>()
      if (how === 'connecting') await redis[Symbol.asyncDispose]()
      const worker = tasks.worker(
        [
          tasks.handle(job, async (_payload, { signal }) => {
            begun.resolve()
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
          }),
        ],
        { drainMs: 100 },
      )
      if (how !== 'connecting') await worker.ready()
      if (how === 'busy') {
        await tasks.enqueue(job, null)
        await begun.promise
      }
      await redis[Symbol.asyncDispose]()
      await worker.close()
      await tasks[Symbol.asyncDispose]()
    })

    test('a worker whose connection waits before the next try', async () => {
      const { redis, tasks, job } = await setUp()
      const worker = tasks.worker([tasks.handle(job, () => {})])
      await worker.ready()
      await redis[Symbol.asyncDispose]()
      await pause(500)
      await worker.close()
      await tasks[Symbol.asyncDispose]()
    })
  })

  test('is no reason to hold a transaction open, and gets what waited when it is back', async () => {
    const { redis, tasks, job, errors } = await setUp()
    const seen: string[] = []
    await using worker = tasks.worker([tasks.handle(job, (_payload, { job: { id } }) => void seen.push(id))])
    await worker.ready()
    await redis.kill()
    const { id } = await tasks.transaction(() => tasks.enqueue(job, null))
    await eventually(() => errors.some((error) => 'code' in error && error.code === 'TASK_ENQUEUE_UNCERTAIN'))
    await eventually(async () => {
      const open = await sql`
        select from pg_stat_activity where datname = current_database() and state = 'idle in transaction'
      `.execute(world.db)
      return open.rows.length === 0
    })
    expect(await inOutbox(job.queue)).toBe(1)
    await using _again = await startRedis({ port: redis.port })
    await eventually(async () => seen.length > 0 && (await inOutbox(job.queue)) === 0)
    expect(seen).toEqual([id])
    await worker.close()
    await tasks[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })
})
