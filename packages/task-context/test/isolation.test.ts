import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'

import { describeWith } from '@org/services'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { context, createTasks, defineJob, kyselyDatabase, tryContext, unchecked } from '../src/index.ts'
import { type DriverName, eventually, makeDriver, openWorld, type World } from './support/world.ts'

describe.each(['memory', 'postgres'] as const)('%s driver', (name) => {
  isolation(name)
})
await describeWith('redis', 'redis driver', () => isolation('redis'))

/** No job sees anything of another, nor of whoever started the worker. */
function isolation(name: DriverName): void {
  let world: World
  beforeAll(async () => {
    world = await openWorld()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  const number = defineJob({ name: 'number', queue: 'numbers', schema: unchecked<{ n: number }>() })

  function setUp() {
    return createTasks({
      driver: makeDriver(name, world),
      database: kyselyDatabase(world.db),
      // Thousands at once, on a busy machine.
      enqueueTimeoutMs: 60_000,
      logger: (ids) => Object.assign({ info() {}, warn() {}, error() {} }, { ids }),
    })
  }

  test('a worker that was started inside a request runs jobs in their own context', async () => {
    await using tasks = setUp()
    const foreign = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const worker = foreign.run('starter', () =>
      tasks.runInContext({ requestId: 'starter', actor: 'starter' }, () =>
        tasks.worker([
          tasks.handle(number, (_payload, { requestId, actor }) => {
            seen.push([requestId, actor, foreign.getStore()])
          }),
        ]),
      ),
    )
    await using _ = worker
    await worker.ready()
    await foreign.run('enqueuer', () => tasks.runInContext({ requestId: 'B' }, () => tasks.enqueue(number, { n: 1 })))
    await eventually(() => seen.length === 1)
    expect(seen).toEqual([['B', undefined, undefined]])
  })

  test('what a handler enters does not reach the next job', async () => {
    await using tasks = setUp()
    const foreign = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    await using worker = tasks.worker([
      tasks.handle(number, ({ n }) => {
        seen.push([n, foreign.getStore()])
        foreign.enterWith(`entered by ${n}`)
      }),
    ])
    await worker.ready()
    await tasks.enqueueMany(number, [{ n: 1 }, { n: 2 }, { n: 3 }])
    await eventually(() => seen.length === 3)
    expect(seen).toEqual([1, 2, 3].map((n) => [n, undefined]))
  })

  test('what a finished job left running has no context any more', async () => {
    await using tasks = setUp()
    const left = Promise.withResolvers<unknown>()
    const go = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    await using worker = tasks.worker([
      tasks.handle(number, () => {
        started.resolve()
        void go.promise.then(() => left.resolve(tryContext()))
      }),
    ])
    await worker.ready()
    await tasks.enqueue(number, { n: 1 })
    // Shutting down waits for the job, its commit and its teardown.
    await started.promise
    await worker.close()
    go.resolve()
    expect(await left.promise).toBeUndefined()
  })

  const total = 2000
  test('2,000 jobs at concurrency 64 in two workers keep to themselves', async () => {
    await using tasks = setUp()
    const wrong: unknown[] = []
    let done = 0
    const handler = tasks.handle(
      number,
      async ({ n }, ctx) => {
        for (let step = 0; step < 20; step += 1) {
          await ((n + step) % 3 === 0 ? setImmediate() : Promise.resolve())
          const here = context()
          const ids = (here.log as unknown as { ids: { jobId: string; requestId: string } }).ids
          const mine =
            here.requestId === `r${n}` &&
            here.tenant === `t${n % 7}` &&
            here.db === ctx.db &&
            ids.jobId === ctx.job.id &&
            ids.requestId === here.requestId
          if (!mine) wrong.push([n, here.requestId])
        }
        done += 1
      },
      { database: 'none' },
    )
    await using first = tasks.worker([handler], { concurrency: 64 })
    await using second = tasks.worker([handler], { concurrency: 64 })
    await Promise.all([first.ready(), second.ready()])
    await Promise.all(
      Array.from({ length: total }, (_, n) =>
        tasks.runInContext({ requestId: `r${n}`, tenant: `t${n % 7}` }, () => tasks.enqueue(number, { n })),
      ),
    )
    await eventually(() => done === total)
    expect(wrong).toEqual([])
  })

  test('each concurrent job has its own database session', async () => {
    await using tasks = setUp()
    const open = new Map<number, number>()
    const wrong: unknown[] = []
    let done = 0
    await using worker = tasks.worker(
      [
        tasks.handle(number, async ({ n }, { db }) => {
          const pid = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]!.pid
          const mine = await pid()
          if (open.has(mine)) wrong.push([n, open.get(mine)])
          open.set(mine, n)
          await setImmediate()
          if ((await pid()) !== mine || context().db !== db) wrong.push(n)
          open.delete(mine)
          done += 1
        }),
      ],
      { concurrency: 8 },
    )
    await worker.ready()
    await tasks.enqueueMany(
      number,
      Array.from({ length: 100 }, (_, n) => ({ n })),
    )
    await eventually(() => done === 100)
    expect(wrong).toEqual([])
  })

  test('500 rollbacks run nothing, 500 commits run each job after its row can be seen', async () => {
    await using tasks = setUp()
    await tasks.migrate()
    const runs: { n: number; visible: boolean }[] = []
    const errors = new Set<string>()
    const rounds = 500
    await using worker = tasks.worker(
      [
        tasks.handle(
          number,
          async ({ n }) => {
            const row = await world.db.selectFrom('accounts').select('id').where('id', '=', `${n}`).executeTakeFirst()
            runs.push({ n, visible: row !== undefined })
          },
          { database: 'none' },
        ),
      ],
      { concurrency: 8 },
    )
    await worker.ready()
    let next = 0
    const lane = async () => {
      while (next < rounds * 2) {
        const n = next
        next += 1
        const commit = n % 2 === 0
        await tasks
          .transaction(async (trx) => {
            await tasks.enqueue(number, { n })
            await trx
              .insertInto('accounts')
              .values({ id: `${n}`, balance: 0, backend: null })
              .execute()
            if (!commit) throw new Error('undo')
          })
          .catch((error: Error) => errors.add(error.message))
      }
    }
    await Promise.all([lane(), lane(), lane(), lane()])
    await eventually(() => runs.length >= rounds)
    expect([...errors]).toEqual(['undo'])
    expect(runs.filter(({ n }) => n % 2 === 1)).toEqual([])
    expect(runs.filter(({ visible }) => !visible)).toEqual([])
    expect(new Set(runs.map(({ n }) => n)).size).toBe(rounds)
  })
}
