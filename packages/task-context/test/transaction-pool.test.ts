import { AsyncLocalStorage } from 'node:async_hooks'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { createTasks, defineJob, kyselyDatabase, postgresDriver, unchecked } from '../src/index.ts'
import { transactionPool } from '../src/drivers/transaction-pool.ts'
import { openWorld, type World } from './support/world.ts'

/**
 * Enqueueing in the caller's transaction leans on what BullMQ does, and does not promise. When one of these fails after
 * an update of BullMQ, read its migrations and commands before anything else.
 */
let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const job = defineJob({ name: 'note', queue: 'notes', schema: unchecked<{ n: number }>() })

function setUp(schema = 'jobs') {
  const inner = kyselyDatabase(world.db)
  const statements: string[] = []
  const database: typeof inner = {
    ...inner,
    query(handle, sql, parameters) {
      statements.push(
        sql
          .replaceAll(/--.*\n/g, '')
          .trim()
          .split(/\s*\(/, 1)[0]!,
      )
      return inner.query(handle, sql, parameters)
    },
  }
  const driver = postgresDriver({ connection: { connectionString: world.url, max: 4 }, schema })
  return { tasks: createTasks({ driver, database }), statements }
}

test('adding is one call of a known function, in a schema of choice', async () => {
  const { tasks, statements } = setUp()
  await using _ = tasks
  await tasks.transaction(async () => {
    await tasks.enqueue(job, { n: 1 })
    await tasks.enqueue(job, { n: 2 }, { delayMs: 1000, priority: 3, lifo: true })
    await tasks.enqueue(job, { n: 3 }, { deduplication: { id: 'one', ttlMs: 1000 } })
    await tasks.enqueueMany(job, [{ n: 4 }, { n: 5 }])
  })
  const add = 'SELECT "jobs".add_job'
  expect(statements).toEqual([add, add, add, 'SELECT id FROM "jobs".add_jobs_bulk'])
  expect(await tasks.queue(job)!.getJobCounts('waiting', 'delayed', 'prioritized')).toEqual({
    waiting: 4,
    delayed: 1,
    prioritized: 0,
  })
})

test('transactions that add to one queue do not wait for each other', async () => {
  const { tasks } = setUp()
  await using _ = tasks
  const firstAdded = Promise.withResolvers<void>()
  const secondDone = Promise.withResolvers<void>()
  const first = tasks.transaction(async () => {
    await tasks.enqueue(job, { n: 1 })
    firstAdded.resolve()
    await secondDone.promise
  })
  await firstAdded.promise
  await tasks.transaction(() => tasks.enqueue(job, { n: 2 }))
  secondDone.resolve()
  await first
})

test('a worker starts within the commit, and sees what it committed', async () => {
  const { tasks } = setUp('other')
  await using _ = tasks
  const seen = Promise.withResolvers<unknown>()
  await using worker = tasks.worker([
    tasks.handle(job, async (_payload, { db }) => {
      seen.resolve(await db.selectFrom('accounts').select('id').where('id', '=', 'seen').executeTakeFirst())
    }),
  ])
  await worker.ready()
  await tasks.transaction(async (trx) => {
    await tasks.enqueue(job, { n: 1 })
    await trx.insertInto('accounts').values({ id: 'seen', balance: 0, backend: null }).execute()
  })
  expect(await seen.promise).toEqual({ id: 'seen' })
})

test.each([
  ['UPDATE meta SET value = 1', true],
  ['SELECT add_job($1); SELECT add_job($2)', true],
  ['SELECT add_job($1)', false],
])('refuses SQL that it does not know: %s', async (text, inTransaction) => {
  const callers = new AsyncLocalStorage<() => Promise<never[]>>()
  const pool = transactionPool(callers, 'jobs')
  const send = () => pool.query(text, [])
  const refused = inTransaction ? callers.run(() => Promise.resolve([]), send) : send()
  await expect(refused).rejects.toMatchObject({ code: 'TASK_DRIVER_CONTRACT' })
})
