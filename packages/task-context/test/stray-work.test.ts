import { setImmediate as turn } from 'node:timers/promises'

import { CamelCasePlugin, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { afterCommit, createTasks, defineJob, kyselyDatabase, unchecked } from '../src/index.ts'
import { memoryDriver } from '../src/memory.ts'
import { eventually, openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const job = defineJob({ name: 'note', schema: unchecked<{ n: number }>(), backoff: { type: 'fixed', delayMs: 1 } })

function setUp() {
  const seen: number[] = []
  const tasks = createTasks({ driver: memoryDriver(), database: kyselyDatabase(world.db), abortGraceMs: 10 })
  const note = tasks.handle(job, ({ n }) => void seen.push(n), { database: 'none' })
  return { tasks, note, seen }
}

const add = (db: World['db'], id: string) => db.insertInto('accounts').values({ id, balance: 1, backend: null })
const saved = async (prefix: string) => {
  const rows = await world.db.selectFrom('accounts').select('id').where('id', 'like', `${prefix}-%`).execute()
  return rows.map(({ id }) => id).sort()
}

test('what runs beside a failure is rolled back with it, and cannot write once the end has begun', async () => {
  const branches: Promise<unknown>[] = []
  const failed = kyselyDatabase(world.db).transaction((trx) => {
    // Waits for its turn on the connection when the failure comes, and goes on after it.
    const steps = async (name: string) => {
      for (let step = 0; step < 3; step += 1) await add(trx, `beside-${name}-${step}`).execute()
    }
    const fail = sql`select 1 / 0`.execute(trx)
    branches.push(steps('a'), steps('b'))
    return Promise.all([fail, ...branches])
  })
  await expect(failed).rejects.toThrow('division by zero')
  await Promise.allSettled(branches)
  expect(await saved('beside')).toEqual([])
})

test('what was begun before a commit belongs to it', async () => {
  const begun: Promise<unknown>[] = []
  await kyselyDatabase(world.db).transaction(async (trx) => {
    begun.push(add(trx, 'begun-1').execute(), add(trx, 'begun-2').execute())
    await turn()
  })
  await Promise.all(begun)
  expect(await saved('begun')).toEqual(['begun-1', 'begun-2'])
})

test('a connection that was given back does not answer whoever had it', async () => {
  let kept: World['db'] | undefined
  await kyselyDatabase(world.db).connection(async (handle) => {
    kept = handle
    await add(handle, 'kept-1').execute()
  })
  await expect(add(kept!, 'kept-2').execute()).rejects.toMatchObject({ code: 'TASK_CLOSED' })
  expect(await saved('kept')).toEqual(['kept-1'])
})

test('no way around reaches a connection that was given back', async () => {
  const database = kyselyDatabase(world.db)
  let kept: World['db'] | undefined
  await database.connection(async (handle) => {
    kept = handle
  })
  const row = (id: string) => ({ id, balance: 1, backend: null })
  const compiled = add(world.db, 'around-raw').compile()
  const ways = [
    () => kept!.executeQuery(compiled),
    () => kept!.withoutPlugins().insertInto('accounts').values(row('around-without')).execute(),
    () => kept!.withSchema('public').insertInto('accounts').values(row('around-schema')).execute(),
    () => kept!.withPlugin(new CamelCasePlugin()).insertInto('accounts').values(row('around-plugin')).execute(),
    () => kept!.withTables().insertInto('accounts').values(row('around-tables')).execute(),
    () => kept!.transaction().execute((trx) => add(trx, 'around-transaction').execute()),
    () => kept!.connection().execute((other) => add(other, 'around-connection').execute()),
    () => sql`insert into accounts (id) values ('around-sql')`.execute(kept!),
    () => database.query(kept, `insert into accounts (id) values ('around-ours')`, []),
  ]
  for (const way of ways) await expect(way()).rejects.toMatchObject({ code: 'TASK_CLOSED' })
  expect(await saved('around')).toEqual([])
})

test('a query that was compiled elsewhere cannot write behind a rollback', async () => {
  let late: Promise<unknown> | undefined
  const failed = kyselyDatabase(world.db).transaction(async (trx) => {
    const steps = async () => {
      for (let step = 0; step < 5; step += 1) await trx.executeQuery(add(world.db, `compiled-${step}`).compile())
    }
    late = Promise.allSettled([steps()])
    throw new Error('undo')
  })
  await expect(failed).rejects.toThrow('undo')
  await late
  expect(await saved('compiled')).toEqual([])
})

test('what still stands in line when a transaction ends without it does not run behind its end', async () => {
  let left: Promise<unknown> | undefined
  await kyselyDatabase(world.db).transaction(async (trx) => {
    left = Promise.allSettled([sql`select pg_sleep(1.5)`.execute(trx), add(trx, 'line-1').execute()])
    await turn()
  })
  expect(await left).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'TASK_CLOSED' } }])
  expect(await saved('line')).toEqual([])
})

test('what a rolled back transaction left running enqueues and announces nothing', async () => {
  const { tasks, note, seen } = setUp()
  await using _ = tasks
  await using _worker = tasks.worker([note])
  const gate = Promise.withResolvers<void>()
  let late: Promise<PromiseSettledResult<unknown>[]> | undefined
  const failed = tasks.transaction(async () => {
    late = gate.promise.then(() =>
      Promise.allSettled([tasks.enqueue(job, { n: 1 }), afterCommit(() => void seen.push(2)), tasks.transaction(turn)]),
    )
    throw new Error('undo')
  })
  await expect(failed).rejects.toThrow('undo')
  gate.resolve()
  for (const result of await late!)
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TASK_CLOSED' } })
  await tasks.enqueue(job, { n: 3 })
  await eventually(() => seen.includes(3))
  expect(seen).toEqual([3])
})

test('what a committed transaction left running goes on outside of it', async () => {
  const { tasks, note, seen } = setUp()
  await using _ = tasks
  await using _worker = tasks.worker([note])
  const gate = Promise.withResolvers<void>()
  let late: Promise<unknown> | undefined
  await tasks.transaction(async () => {
    late = gate.promise.then(async () => {
      expect(await tasks.enqueue(job, { n: 1 })).toMatchObject({ deferred: false })
      await afterCommit(() => void seen.push(2))
      await tasks.runInContext({}, () => tasks.enqueue(job, { n: 3 }))
    })
  })
  gate.resolve()
  await late
  await eventually(() => seen.length === 3)
})

test('what a kept savepoint left running goes on in the transaction around it', async () => {
  const { tasks, note, seen } = setUp()
  await using _ = tasks
  await using _worker = tasks.worker([note])
  await tasks.transaction(async () => {
    const gate = Promise.withResolvers<void>()
    let late: Promise<unknown> | undefined
    await tasks.transaction(async () => {
      late = gate.promise.then(() => tasks.enqueue(job, { n: 1 }))
    })
    gate.resolve()
    expect(await late).toMatchObject({ deferred: true })
    expect(seen).toEqual([])
  })
  await eventually(() => seen.length === 1)
})

test.each(['fails', 'is too slow'])(
  'an attempt that %s leaves no job behind that it enqueues afterwards',
  async (how) => {
    const { tasks, note, seen } = setUp()
    await using _ = tasks
    // A busy machine may need most of a second for an attempt that does nothing.
    const parent = { ...job, name: `parent ${how}`, timeoutMs: how === 'fails' ? undefined : 2000, attempts: 10 }
    const late: Promise<unknown>[] = []
    await using _worker = tasks.worker([
      note,
      tasks.handle(parent, async (_payload, { signal }) => {
        if (late.length > 0) return void (await tasks.enqueue(job, { n: 2 }))
        const gate = Promise.withResolvers<void>()
        const branch = gate.promise.then(() => tasks.enqueue(job, { n: 1 }))
        late.push(branch.catch((error: unknown) => error))
        const open = () => setTimeout(gate.resolve, 200)
        if (how === 'fails') {
          open()
          throw new Error('not yet')
        }
        signal.addEventListener('abort', open)
        await branch
      }),
    ])
    await tasks.enqueue(parent, { n: 0 })
    await eventually(() => late.length === 1)
    expect(await late[0]).toMatchObject({ code: 'TASK_CLOSED' })
    await eventually(() => seen.length > 0)
    expect(seen).toEqual([2])
  },
)
