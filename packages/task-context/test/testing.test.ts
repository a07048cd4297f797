import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { context, createTasks, defineJob, kyselyDatabase, type TaskContext, unchecked } from '../src/index.ts'
import { testDriver, type TestDriverOptions } from '../src/testing/index.ts'
import { openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const a = defineJob({ name: 'a', schema: unchecked<{ n: number }>() })
const b = defineJob({ name: 'b', schema: unchecked<{ n: number; at?: Date }>() })
const c = defineJob({ name: 'c', schema: unchecked<{ n: number }>() })

function setUp(options?: TestDriverOptions) {
  const driver = testDriver(options)
  const errors: Error[] = []
  const tasks = createTasks({ driver, database: kyselyDatabase(world.db), onError: (error) => errors.push(error) })
  return { driver, tasks, errors }
}

test('nested jobs have three scopes and three sessions, and leave the first one usable', async () => {
  const { tasks, driver } = setUp()
  const seen: { name: string; context: TaskContext; pid: number; requestId: string }[] = []
  const look = async (name: string) => {
    const here = context() as TaskContext<object, World['db']>
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(here.db)
    seen.push({ name, context: here, pid: rows[0]!.pid, requestId: here.requestId })
  }
  const connection = { database: 'connection' } as const
  tasks.worker([
    tasks.handle(
      a,
      async ({ n }, { db }) => {
        await look('a')
        await tasks.enqueue(b, { n })
        const { rows } = await sql<{ ok: number }>`select 1 as ok`.execute(db)
        expect([rows, seen.map(({ name }) => name)]).toEqual([[{ ok: 1 }], ['a', 'b', 'c']])
      },
      connection,
    ),
    tasks.handle(
      b,
      async ({ n }) => {
        await look('b')
        await tasks.enqueue(c, { n })
      },
      connection,
    ),
    tasks.handle(c, () => look('c'), connection),
  ])
  await tasks.runInContext({ requestId: 'r' }, () => tasks.enqueue(a, { n: 1 }))
  expect(seen.map(({ requestId }) => requestId)).toEqual(['r', 'r', 'r'])
  expect(new Set(seen.map((one) => one.context)).size).toBe(3)
  expect(new Set(seen.map(({ pid }) => pid)).size).toBe(3)
  expect(driver.jobs.map(({ name, depth, state }) => [name, depth, state])).toEqual([
    ['a', 1, 'done'],
    ['b', 2, 'done'],
    ['c', 3, 'done'],
  ])
})

test('the original bug: the caller goes on with its transaction, the job runs after its commit', async () => {
  const { tasks } = setUp()
  const order: string[] = []
  tasks.worker([tasks.handle(a, () => void order.push('job'))])
  await tasks.transaction(async (trx) => {
    await trx.insertInto('accounts').values({ id: 'seed', balance: 1, backend: null }).execute()
    await tasks.enqueue(a, { n: 1 })
    const row = await trx.selectFrom('accounts').select('balance').where('id', '=', 'seed').executeTakeFirstOrThrow()
    await trx
      .updateTable('accounts')
      .set({ balance: row.balance + 1 })
      .where('id', '=', 'seed')
      .execute()
    order.push('caller')
  })
  expect(order).toEqual(['caller', 'job'])
  const row = await world.db.selectFrom('accounts').select('balance').where('id', '=', 'seed').executeTakeFirst()
  expect(row?.balance).toBe(2)
})

test('a rollback leaves neither run nor record', async () => {
  const { tasks, driver } = setUp()
  tasks.worker([tasks.handle(a, () => expect.unreachable())])
  const failed = tasks.transaction(async () => {
    await tasks.enqueue(a, { n: 1 })
    throw new Error('undo')
  })
  await expect(failed).rejects.toThrow('undo')
  expect(driver.jobs).toEqual([])
})

test('a payload arrives as it does through a queue, or not at all', async () => {
  const { tasks, driver } = setUp()
  const seen: unknown[] = []
  tasks.worker([tasks.handle(b, (payload) => void seen.push(payload))])
  await tasks.enqueue(b, { n: 1, at: new Date(0) })
  expect(seen).toEqual([{ n: 1, at: '1970-01-01T00:00:00.000Z' }])
  expect(driver.payloads(b)).toEqual(seen)
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  for (const at of [new Map(), new Set(), 1n, () => {}, Symbol('x'), NaN, Buffer.from('x'), new Error('x'), circle]) {
    await expect(tasks.enqueue(b, { n: 1, at: at as never })).rejects.toMatchObject({ code: 'TASK_PAYLOAD_NOT_JSON' })
  }
})

test('jobs that enqueue themselves end with a code', async () => {
  const { tasks, driver, errors } = setUp({ maxDepth: 3 })
  tasks.worker([tasks.handle(a, ({ n }) => tasks.enqueue(a, { n: n + 1 }), { database: 'none' })])
  await expect(tasks.enqueue(a, { n: 1 })).rejects.toMatchObject({ code: 'TASK_NESTING' })
  expect([driver.payloads(a), errors]).toEqual([[{ n: 1 }, { n: 2 }, { n: 3 }], []])
})

test('a failing job is tried as often as it may, then makes its enqueue reject', async () => {
  const { tasks, driver } = setUp()
  tasks.worker([
    tasks.handle(a, () => {
      throw new Error('always')
    }),
  ])
  await expect(tasks.enqueue(a, { n: 1 }, { attempts: 4 })).rejects.toThrow('always')
  expect(driver.jobs).toMatchObject([{ state: 'failed', attempts: 4, error: { message: 'always' } }])
})

test('recorded and delayed jobs wait to be run', async () => {
  const { tasks, driver } = setUp({ mode: 'record' })
  const seen: string[] = []
  tasks.worker([
    tasks.handle(a, async () => {
      seen.push('a')
      await tasks.enqueue(c, { n: 2 }, { delayMs: 1000 })
    }),
    tasks.handle(c, () => void seen.push('c')),
  ])
  await tasks.runInContext({ requestId: 'r', actor: 'user:1' }, () => tasks.enqueue(a, { n: 1 }))
  expect([seen, driver.jobs[0]?.context]).toEqual([[], { r: 'r', a: 'user:1' }])
  await driver.run()
  expect(seen).toEqual(['a', 'c'])
  driver.clear()
  expect(driver.jobs).toEqual([])
})

test('a delayed job is replaced where told so', async () => {
  const { tasks, driver } = setUp()
  tasks.worker([tasks.handle(a, () => {})])
  const given = { deduplication: { id: 'newest', replace: true }, delayMs: 1000 }
  await tasks.enqueue(a, { n: 1 }, given)
  expect((await tasks.enqueue(a, { n: 2 }, given)).deduplicated).toBe(false)
  expect((await tasks.enqueue(a, { n: 3 }, { deduplication: { id: 'newest' } })).deduplicated).toBe(true)
  await driver.run()
  expect(driver.payloads(a)).toEqual([{ n: 2 }])
})
