import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'

import { describeWith } from '@org/services'
import { UnrecoverableError } from 'bullmq'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  afterCommit,
  context,
  createTasks,
  defineJob,
  type Driver,
  kyselyDatabase,
  type StandardSchema,
  TaskError,
  unchecked,
} from '../src/index.ts'
import { type DriverName, eventually, makeDriver, openWorld, text, type World } from './support/world.ts'

describe.each(['memory', 'postgres'] as const)('%s driver', (name) => {
  contract(name)
})
await describeWith('redis', 'redis driver', () => contract('redis'))

/** What every driver does, whatever it keeps its jobs in. */
function contract(name: DriverName): void {
  let world: World
  let count = 0
  beforeAll(async () => {
    world = await openWorld()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  /** Tasks over a queue of the test's own. */
  function setUp(options: { patienceMs?: number; secret?: string; driver?: Driver } = {}) {
    count += 1
    const queue = `q${count}`
    const errors: Error[] = []
    const tasks = createTasks({
      driver: options.driver ?? makeDriver(name, world),
      database: kyselyDatabase(world.db),
      context: { fields: { plan: text(['free', 'paid']), note: anything } },
      onError: (error) => errors.push(error),
      skewDelayMs: 20,
      relay: { intervalMs: 50 },
      ...options,
    })
    const job = defineJob({
      name: 'credit',
      queue,
      schema: unchecked<{ id: string; by?: number }>(),
      backoff: { type: 'fixed', delayMs: 10 },
    })
    const balance = async (id: string) =>
      (await world.db.selectFrom('accounts').select('balance').where('id', '=', id).executeTakeFirst())?.balance
    return { tasks, job, queue, errors, balance, account: `${name}-${count}` }
  }

  const credit = (db: World['db'], id: string, by = 1) =>
    db
      .insertInto('accounts')
      .values({ id, balance: by, backend: null })
      .onConflict((at) => at.column('id').doUpdateSet({ balance: sql<number>`accounts.balance + ${by}` }))
      .execute()

  test('carries the allowed fields, and a fresh request id where there is no caller', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const seen: unknown[] = []
    await using worker = tasks.worker([
      tasks.handle(job, (_payload, ctx) => {
        const { requestId, actor, tenant, locale, plan } = ctx
        seen.push({ requestId, actor, tenant, locale, plan, same: context() === ctx, job: ctx.job.name })
      }),
    ])
    await worker.ready()
    await tasks.runInContext({ requestId: 'r1', actor: 'user:1', tenant: 'acme', plan: 'paid' }, () =>
      tasks.enqueue(job, { id: 'x' }),
    )
    await eventually(() => seen.length === 1)
    expect(seen[0]).toEqual({
      requestId: 'r1',
      actor: 'user:1',
      tenant: 'acme',
      locale: undefined,
      plan: 'paid',
      same: true,
      job: 'credit',
    })
    await tasks.enqueue(job, { id: 'y' })
    await eventually(() => seen.length === 2)
    expect(seen[1]).toMatchObject({ actor: undefined, requestId: expect.stringMatching(/^j[\w-]{20}$/) })
  })

  test('runs after the outermost commit and never after a rollback, also of a savepoint', async () => {
    const { tasks, job, account } = setUp()
    await using _ = tasks
    await tasks.migrate()
    const seen: string[] = []
    await using worker = tasks.worker([
      tasks.handle(job, async ({ id }, { db }) => {
        const row = await db.selectFrom('accounts').select('id').where('id', '=', account).executeTakeFirst()
        seen.push(`${id}:${row?.id}`)
      }),
    ])
    await worker.ready()
    const enqueued = await tasks.transaction(async (trx) => {
      const first = await tasks.enqueue(job, { id: 'kept' })
      await tasks.transaction(() => tasks.enqueue(job, { id: 'inner' }))
      await tasks
        .transaction(async () => {
          await tasks.enqueue(job, { id: 'savepoint' })
          throw new Error('undo')
        })
        .catch(() => {})
      await credit(trx, account)
      return first
    })
    expect(enqueued).toMatchObject({ deferred: true })
    const failed = tasks.transaction(async () => {
      await tasks.enqueue(job, { id: 'rolled back' })
      throw new Error('undo')
    })
    await expect(failed).rejects.toThrow('undo')
    await tasks.enqueue(job, { id: 'last' })
    await eventually(() => seen.length === 3)
    expect(seen.sort()).toEqual([`inner:${account}`, `kept:${account}`, `last:${account}`])
  })

  test('keeps parallel savepoints apart: what one undoes is its own, and no other loses its row or its job', async () => {
    const { tasks, job, account, balance } = setUp()
    await using _ = tasks
    await tasks.migrate()
    const seen: string[] = []
    const announced: string[] = []
    const done = defineJob({ name: 'done', queue: job.queue, schema: unchecked<null>() })
    await using worker = tasks.worker([
      tasks.handle(job, ({ id }) => void seen.push(id)),
      tasks.handle(done, () => void seen.push('done')),
    ])
    await worker.ready()
    await tasks.transaction(async () => {
      const branch = (id: string, fail = false) =>
        tasks.transaction(async (trx) => {
          await turn()
          await credit(trx, `${account}-${id}`)
          await tasks.enqueue(job, { id })
          await afterCommit(() => void announced.push(id))
          await turn()
          if (fail) throw new Error('undo')
        })
      await Promise.allSettled([
        branch('a'),
        branch('b', true),
        tasks.enqueue(job, { id: 'beside' }),
        branch('c'),
        branch('d', true),
        tasks.transaction(() => Promise.allSettled([branch('e', true), branch('f'), branch('g', true)])),
      ])
    })
    await tasks.enqueue(done, null, { delayMs: 100 })
    await eventually(() => seen.includes('done') && seen.length >= 5)
    const kept = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(async (id) => ((await balance(`${account}-${id}`)) === 1 ? id : '')),
    )
    expect([kept.join(''), announced.join(''), seen.toSorted()]).toEqual([
      'acf',
      'acf',
      ['a', 'beside', 'c', 'done', 'f'],
    ])
  })

  test('does not commit half a savepoint that was left running', async () => {
    const { tasks, job, account, balance } = setUp()
    await using _ = tasks
    await tasks.migrate()
    const gate = Promise.withResolvers<void>()
    let left: Promise<unknown> | undefined
    const outer = tasks.transaction(async (trx) => {
      await credit(trx, account)
      left = tasks
        .transaction(async (inner) => {
          await credit(inner, `${account}-half`)
          await tasks.enqueue(job, { id: 'half' })
          await gate.promise
          await credit(inner, `${account}-whole`)
        })
        .catch((error: unknown) => error)
    })
    await expect(outer).rejects.toMatchObject({ code: 'TASK_CLOSED' })
    gate.resolve()
    expect(await left).toMatchObject({ code: 'TASK_CLOSED' })
    expect([await balance(account), await balance(`${account}-half`)]).toEqual([undefined, undefined])
  })

  test('leaves the caller its transaction, and runs the job on another connection', async () => {
    const { tasks, job, account, balance } = setUp()
    await using _ = tasks
    await tasks.migrate()
    const pid = sql<{ pid: number }>`select pg_backend_pid() as pid`
    const row = (db: World['db']) => db.selectFrom('accounts').select('balance').where('id', '=', account)
    const pids: number[] = []
    await using worker = tasks.worker([
      tasks.handle(job, async ({ id }, { db }) => {
        pids.push((await pid.execute(db)).rows[0]!.pid)
        await credit(db, id, 10)
      }),
    ])
    await worker.ready()
    await credit(world.db, account)
    const caller = await world.db.startTransaction().execute()
    const before = await row(caller).executeTakeFirstOrThrow()
    pids.push((await pid.execute(caller)).rows[0]!.pid)
    await tasks.enqueue(job, { id: `${account}-job` })
    await eventually(() => balance(`${account}-job`))
    // The original bug: the job's teardown closed the caller's session, and from here on nothing worked.
    const again = await row(caller).executeTakeFirstOrThrow()
    const sum = before.balance + again.balance
    await caller.updateTable('accounts').set({ balance: sum }).where('id', '=', account).execute()
    await caller.commit().execute()
    expect(await balance(account)).toBe(2)
    expect(new Set(pids).size).toBe(2)
  })

  test('rolls a failed attempt back with all it enqueued and announced, then tries again under the same request', async () => {
    const { tasks, job, account, balance } = setUp()
    await using _ = tasks
    const follow = defineJob({ name: 'follow', queue: job.queue, schema: unchecked<{ of: number }>() })
    const attempts: unknown[] = []
    const followed: number[] = []
    const announced: number[] = []
    await using worker = tasks.worker([
      tasks.handle(job, async ({ id }, { db, requestId, actor, job: { attempt } }) => {
        attempts.push([requestId, actor, attempt])
        await credit(db, id)
        await tasks.enqueue(follow, { of: attempt })
        await afterCommit(() => void announced.push(attempt))
        if (attempt < 3) throw new Error('not yet')
      }),
      tasks.handle(follow, ({ of }) => void followed.push(of)),
    ])
    await worker.ready()
    await tasks.runInContext({ requestId: 'r', actor: 'user:2' }, () => tasks.enqueue(job, { id: account }))
    await eventually(() => followed.length > 0)
    expect(attempts).toEqual([1, 2, 3].map((attempt) => ['r', 'user:2', attempt]))
    expect(await balance(account)).toBe(1)
    expect(followed).toEqual([3])
    expect(announced).toEqual([3])
  })

  test('has its effect once per id, and says when an enqueue was a repetition', async () => {
    const { tasks, job, account, balance } = setUp()
    await using _ = tasks
    const actors: unknown[] = []
    await using worker = tasks.worker([
      tasks.handle(job, async ({ id }, { db, actor }) => {
        actors.push(actor)
        await credit(db, id)
      }),
    ])
    await worker.ready()
    const enqueue = (actor: string) =>
      tasks.runInContext({ actor }, () => tasks.enqueue(job, { id: account }, { id: `id-${account}` }))
    expect(await enqueue('first')).toMatchObject({ id: `id-${account}`, deduplicated: false })
    expect(await enqueue('second')).toMatchObject({ id: `id-${account}`, deduplicated: true })
    await eventually(() => balance(account))
    const third = await tasks.enqueue(job, { id: account }, { id: `id-${account}` })
    expect(third.deduplicated).toBe(true)
    expect([await balance(account), actors]).toEqual([1, ['first']])
  })

  test('keeps one of many under a deduplication key', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const given = { deduplication: { id: 'only' }, delayMs: 60_000 }
    const first = await tasks.enqueue(job, { id: 'a' }, given)
    const second = await tasks.enqueue(job, { id: 'b' }, given)
    expect([first.deduplicated, second]).toMatchObject([false, { id: first.id, deduplicated: true }])
  })

  test('lets the newest payload win where told to replace, as long as the job is delayed', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const seen: string[] = []
    const held = Promise.withResolvers<void>()
    await using worker = tasks.worker([
      tasks.handle(job, async ({ id }) => {
        seen.push(id)
        await held.promise
      }),
    ])
    await worker.ready()
    const deduplication = { id: 'newest', replace: true }
    const first = await tasks.enqueue(job, { id: 'old' }, { deduplication, delayMs: 60_000 })
    const second = await tasks.enqueue(job, { id: 'new' }, { deduplication, delayMs: 100 })
    expect([first.deduplicated, second.deduplicated, second.id === first.id]).toEqual([false, false, false])
    await eventually(() => seen.length === 1)
    // It runs by now, and cannot be replaced any more.
    const third = await tasks.enqueue(job, { id: 'late' }, { deduplication, delayMs: 100 })
    expect(third).toMatchObject({ id: second.id, deduplicated: true })
    held.resolve()
    expect(seen).toEqual(['new'])
  })

  test('remembers a deduplication key for its time, anew each time where told so', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const ids: string[][] = []
    // Well apart, as a busy machine is late.
    for (const wait of [0, 1200, 1200]) {
      await pause(wait)
      const enqueue = async (extend: boolean) => {
        const deduplication = { id: `ttl-${extend}`, ttlMs: 2000, extend }
        return (await tasks.enqueue(job, { id: 'x' }, { deduplication })).id
      }
      ids.push(await Promise.all([enqueue(false), enqueue(true)]))
    }
    const [first, second, third] = ids
    expect(second).toEqual(first)
    expect([third![0] === first![0], third![1] === first![1]]).toEqual([false, true])
  })

  test('keeps to the limit of all workers of a queue together', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const times: number[] = []
    await tasks.enqueueMany(
      job,
      Array.from({ length: 5 }, () => ({ id: 'x' })),
    )
    const handler = tasks.handle(job, () => void times.push(Date.now()), { database: 'none' })
    const settings = { concurrency: 5, limiter: { max: 2, durationMs: 400 } }
    await using first = tasks.worker([handler], settings)
    await using second = tasks.worker([handler], settings)
    await Promise.all([first.ready(), second.ready()])
    await eventually(() => times.length === 5)
    // Two windows have passed before the fifth; Postgres counts a little differently at their edges.
    expect(times[4]! - times[0]!).toBeGreaterThan(400)
  })

  test('puts a job that is tried again at the end', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const seen: string[] = []
    const backoff = { type: 'fixed', delayMs: 0 } as const
    await tasks.enqueueMany(job, [{ id: 'a' }, { id: 'b' }, { id: 'c' }], { backoff })
    await using worker = tasks.worker([
      tasks.handle(job, ({ id }, { job: { attempt } }) => {
        seen.push(`${id}${attempt}`)
        if (id === 'a' && attempt === 1) throw new Error('again')
      }),
    ])
    await worker.ready()
    await eventually(() => seen.length === 4)
    expect(seen).toEqual(['a1', 'b1', 'c1', 'a2'])
  })

  test('starts jobs by priority, those without one first', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const seen: string[] = []
    await tasks.enqueue(job, { id: 'low' }, { priority: 9 })
    await tasks.enqueue(job, { id: 'high' }, { priority: 1 })
    await tasks.enqueueMany(job, [{ id: 'plain' }, { id: 'plain' }])
    await using worker = tasks.worker([tasks.handle(job, ({ id }) => void seen.push(id))])
    await worker.ready()
    await eventually(() => seen.length === 4)
    expect(seen).toEqual(['plain', 'plain', 'high', 'low'])
  })

  test('starts a delayed job no earlier than asked', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const started = Promise.withResolvers<number>()
    await using worker = tasks.worker([tasks.handle(job, () => started.resolve(Date.now()))])
    await worker.ready()
    const enqueued = Date.now()
    await tasks.enqueue(job, { id: 'late' }, { delayMs: 200 })
    expect((await started.promise) - enqueued).toBeGreaterThanOrEqual(200)
  })

  test('does not start a job past its deadline, and says so', async () => {
    const { tasks, job, queue } = setUp()
    await using _ = tasks
    await tasks.enqueue(job, { id: 'x' }, { deadlineMs: 1, delayMs: 50 })
    await using worker = tasks.worker([tasks.handle(job, () => expect.unreachable())])
    await worker.ready()
    const letter = await eventually(async () => (await tasks.deadLetters(queue))[0])
    expect(letter.reason).toContain('TASK_DEADLINE')
  })

  test('aborts a job at its timeout and commits nothing of it, even when it will not stop', async () => {
    const { account, queue, ...rest } = setUp()
    await using tasks = createTasks({
      driver: makeDriver(name, world),
      database: kyselyDatabase(world.db),
      abortGraceMs: 10,
    })
    await rest.tasks[Symbol.asyncDispose]()
    const slow = defineJob({
      name: 'slow',
      queue,
      schema: unchecked<{ stubborn: boolean }>(),
      timeoutMs: 50,
      attempts: 1,
    })
    const late = Promise.withResolvers<unknown>()
    await using worker = tasks.worker(
      [
        tasks.handle(slow, async ({ stubborn }, { db, signal }) => {
          const { promise, resolve } = Promise.withResolvers<void>()
          signal.addEventListener('abort', () => setTimeout(resolve, stubborn ? 200 : 0))
          // On a busy machine the time may be over before the row is written.
          await credit(db, `${account}-${stubborn}`).catch(() => {})
          await promise
          if (stubborn) late.resolve(await credit(db, account).catch(() => 'refused'))
        }),
      ],
      { concurrency: 2 },
    )
    await worker.ready()
    await tasks.enqueueMany(slow, [{ stubborn: true }, { stubborn: false }])
    const letters = await eventually(async () => {
      const found = await tasks.deadLetters(queue)
      return found.length === 2 && found
    })
    for (const { reason } of letters) expect(reason).toContain('TASK_TIMEOUT')
    expect(await late.promise).toBe('refused')
    expect([await rest.balance(`${account}-true`), await rest.balance(`${account}-false`)]).toEqual([
      undefined,
      undefined,
    ])
  })

  test('brings old versions up to date, and waits for a newer worker with new ones', async () => {
    const { tasks, job, queue } = setUp({ patienceMs: 300 })
    await using _ = tasks
    const seen: unknown[] = []
    const two = defineJob({
      name: job.name,
      queue,
      version: 2,
      schema: unchecked<{ key: string }>(),
      upcasters: { 1: (old) => ({ key: (old as { id: string }).id }) },
    })
    const three = defineJob({ name: job.name, queue, version: 3, schema: unchecked<{ key: string }>() })
    await tasks.enqueue(job, { id: 'old' })
    const newer = await tasks.enqueue(three, { key: 'new' })
    await using worker = tasks.worker([tasks.handle(two, ({ key }) => void seen.push(key))])
    await worker.ready()
    const letter = await eventually(async () => (await tasks.deadLetters(queue))[0])
    expect(seen).toEqual(['old'])
    expect(letter).toMatchObject({ id: newer.id, reason: expect.stringContaining('TASK_VERSION_UNKNOWN') })
    await worker.close()
    expect(await tasks.redrive(letter)).toBe(true)
    await using next = tasks.worker([
      tasks.handle(three, ({ key }, { job: { attempt } }) => void seen.push(key, attempt)),
    ])
    await next.ready()
    await eventually(() => seen.length === 3)
    expect(seen).toEqual(['old', 'new', 1])
  })

  test('leaves a job it does not know to another worker, no attempt used', async () => {
    const { tasks, job, queue } = setUp()
    await using _ = tasks
    const other = defineJob({ name: 'other', queue, schema: unchecked<null>() })
    const seen: number[] = []
    await tasks.enqueue(job, { id: 'x' })
    await using first = tasks.worker([tasks.handle(other, () => {})])
    await first.ready()
    await using second = tasks.worker([tasks.handle(job, (_p, ctx) => void seen.push(ctx.job.attempt))])
    await second.ready()
    await eventually(() => seen.length === 1)
    expect(seen).toEqual([1])
  })

  test('puts a job whose payload does not fit aside with a reason, and goes on', async () => {
    const { tasks, job, queue } = setUp()
    await using _ = tasks
    const strict = defineJob({ name: job.name, queue, schema: text(['good']) })
    const seen: string[] = []
    await tasks.enqueue(job, { id: 'secret' })
    await tasks.enqueue(strict, 'good')
    await using worker = tasks.worker([tasks.handle(strict, (payload) => void seen.push(payload))])
    await worker.ready()
    await eventually(() => seen.length === 1)
    const letter = await eventually(async () => (await tasks.deadLetters(queue))[0])
    expect(letter).toMatchObject({ attempts: 1, reason: expect.stringContaining('TASK_PAYLOAD_INVALID') })
    expect(letter.reason).not.toContain('secret')
    const refused = tasks.enqueue(strict, 'bad' as never)
    await expect(refused).rejects.toMatchObject({ code: 'TASK_PAYLOAD_INVALID' } satisfies Partial<TaskError>)
  })

  const unkept = [
    { what: 'NUL', text: 'a\0b' },
    { what: 'half of a pair', text: 'a\uD83D' },
    { what: 'the other half', text: '\uDE00b' },
  ]
  test.each(unkept)(
    'refuses $what, which no queue but some would keep, before anything is written',
    async ({ text }) => {
      const { tasks, job, queue } = setUp()
      await using _ = tasks
      await tasks.migrate()
      const loose = defineJob({ name: 'loose', queue, schema: unchecked<unknown>() })
      const checked = defineJob({ name: 'checked', queue, schema: anything })
      for (const payload of [text, { deep: [text] }, { [text]: 1 }, { toJSON: () => ({ text }) }]) {
        for (const kind of [loose, checked]) {
          const refused = { code: 'TASK_PAYLOAD_NOT_JSON' }
          await expect(tasks.enqueue(kind, payload)).rejects.toMatchObject(refused)
          await expect(tasks.enqueueMany(kind, [null, payload])).rejects.toMatchObject(refused)
          const inside = tasks.transaction(() => tasks.enqueue(kind, payload))
          await expect(inside).rejects.toMatchObject(refused)
        }
      }
      await expect(tasks.enqueue(job, { id: 'x' }, { id: `id${text}` })).rejects.toThrow(RangeError)
      await expect(tasks.enqueue(job, { id: 'x' }, { deduplication: { id: text } })).rejects.toThrow(RangeError)
      await expect(tasks.schedule(`id${text}`, { everyMs: 1000 }, job, { id: 'x' })).rejects.toThrow(RangeError)
      expect(() => defineJob({ name: text, schema: anything })).toThrow(RangeError)
      for (const fields of [{ actor: text }, { tenant: text }, { note: text }]) {
        const call = async () => tasks.runInContext(fields, () => tasks.enqueue(job, { id: 'x' }))
        await expect(call()).rejects.toMatchObject({ code: 'TASK_CONTEXT_INVALID' })
      }
      // What only looks like it is fine.
      const seen: unknown[] = []
      const fine = { text: '\\u0000 \\\\ud83d \u{1F600}' }
      await tasks.enqueue(loose, fine)
      await using worker = tasks.worker([tasks.handle(loose, (payload) => void seen.push(payload))])
      await worker.ready()
      await eventually(() => seen.length === 1)
      expect(seen).toEqual([fine])
    },
  )

  test('keeps what a job answers or fails with, as far as it can be written down', async () => {
    const { tasks, job, queue, account, balance } = setUp()
    await using _ = tasks
    const runs: string[] = []
    const odd = 'a\0b\uD83Dc'
    const answers = tasks.handle(job, async ({ id }, { db }) => {
      runs.push(id)
      await credit(db, account)
      if (id === 'fails') throw new Error(`bad ${odd}`)
      return { odd, [odd]: odd }
    })
    const bare = defineJob({ name: 'bare', queue, schema: unchecked<null>() })
    await using worker = tasks.worker([
      answers,
      tasks.handle(
        bare,
        () => {
          runs.push('bare')
          return odd
        },
        { database: 'none' },
      ),
    ])
    await worker.ready()
    await tasks.enqueue(job, { id: 'answers' })
    await tasks.enqueue(bare, null)
    await tasks.enqueue(job, { id: 'fails' }, { attempts: 2 })
    const letter = await eventually(async () => (await tasks.deadLetters(queue))[0])
    expect(letter).toMatchObject({ attempts: 2, reason: expect.stringMatching(/^bad a/) })
    // A queue that could not keep the answer would have the job run again.
    const completed = async () => (await tasks.queue(queue)?.getCompletedCount()) ?? 2
    await eventually(async () => (await completed()) === 2)
    expect(runs.toSorted()).toEqual(['answers', 'bare', 'fails', 'fails'])
    expect(await balance(account)).toBe(1)
  })

  test.for([
    ['our error', new TaskError('TASK_UNRECOVERABLE', 'The event is gone'), 'TASK_UNRECOVERABLE: The event is gone'],
    ["BullMQ's error", new UnrecoverableError('The event is gone'), 'The event is gone'],
  ] as const)('makes no further attempt of a job whose handler says that none would help: %s', async (row) => {
    const [, error, reason] = row
    const { tasks, job, queue } = setUp()
    await using _ = tasks
    const seen: number[] = []
    await tasks.enqueue(job, { id: 'gone' }, { attempts: 3 })
    await using worker = tasks.worker([
      tasks.handle(job, (_payload, { job: { attempt } }) => {
        seen.push(attempt)
        throw error
      }),
    ])
    await worker.ready()
    const letter = await eventually(async () => (await tasks.deadLetters(queue))[0])
    expect(letter).toMatchObject({ attempts: 1, reason })
    expect(seen).toEqual([1])
  })

  test('refuses jobs that nobody signed, or that were changed after signing', async () => {
    const { tasks, job, queue } = setUp({ secret: 'ours' })
    await using _ = tasks
    const seen: string[] = []
    await tasks.driver.add([unsigned(queue)])
    await tasks.enqueue(job, { id: 'signed', by: 1 })
    await using worker = tasks.worker([tasks.handle(job, ({ id }) => void seen.push(id))])
    await worker.ready()
    const letter = await eventually(async () => (await tasks.deadLetters(queue))[0])
    expect(letter).toMatchObject({ id: 'forged', reason: expect.stringContaining('TASK_FORGED') })
    await eventually(() => seen.length === 1)
    expect(seen).toEqual(['signed'])
  })

  test('runs schedules as system, each tick its own request', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const seen: { requestId: string; actor: unknown; schedule: unknown }[] = []
    await using worker = tasks.worker([
      tasks.handle(job, (_payload, { requestId, actor, job: { schedule } }) => {
        seen.push({ requestId, actor, schedule })
      }),
    ])
    await worker.ready()
    await tasks.runInContext({ requestId: 'setup', actor: 'user:3' }, () =>
      tasks.schedule('nightly', { everyMs: 100 }, job, { id: 'x' }),
    )
    await eventually(() => seen.length >= 2)
    expect(await tasks.unschedule(job, 'nightly')).toBe(true)
    expect(seen[0]).toMatchObject({ actor: 'system', schedule: { id: 'nightly', by: 'user:3' } })
    expect(new Set([...seen.slice(0, 2).map(({ requestId }) => requestId), 'setup']).size).toBe(3)
  })

  test('lets no ticks pile up that nobody takes, and gives them the priority of their job', async () => {
    const { tasks, job, queue } = setUp()
    await using _ = tasks
    const tick = defineJob({ name: 'tick', queue, priority: 5, schema: unchecked<null>() })
    const seen: string[] = []
    const handlers = [
      tasks.handle(tick, () => void seen.push('tick')),
      tasks.handle(job, ({ id }) => void seen.push(id)),
    ]
    await tasks.schedule('often', { everyMs: 100 }, tick, null)
    await pause(1000)
    await tasks.schedule('often', { everyMs: 3_600_000 }, tick, null)
    await tasks.enqueue(job, { id: 'urgent' }, { priority: 1 })
    await tasks.enqueue(job, { id: 'last' }, { priority: 9 })
    await using worker = tasks.worker(handlers)
    await worker.ready()
    await eventually(() => seen.includes('last'))
    await tasks.unschedule(tick, 'often')
    expect([seen[0], seen.at(-1)]).toEqual(['urgent', 'last'])
    expect(seen.length - 2).toBeLessThanOrEqual(2)
  })

  test('answers nothing any more once disposed', async () => {
    const { tasks, job, queue } = setUp()
    const handler = tasks.handle(job, () => {})
    await tasks.enqueue(job, { id: 'x' })
    await tasks[Symbol.asyncDispose]()
    const calls = [
      () => tasks.enqueue(job, { id: 'x' }),
      () => tasks.enqueueMany(job, [{ id: 'x' }]),
      () => tasks.schedule('s', { everyMs: 1000 }, job, { id: 'x' }),
      () => tasks.unschedule(job, 's'),
      () => tasks.deadLetters(queue),
      () => tasks.redrive({ queue, id: 'x' }),
      async () => tasks.worker([handler]),
      async () => tasks.relay(),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'TASK_CLOSED' })
    await tasks[Symbol.asyncDispose]()
  })

  test('runs a cron pattern in a time zone, with seconds where asked', async () => {
    const { tasks, job } = setUp()
    await using _ = tasks
    const ticks: number[] = []
    await using worker = tasks.worker([tasks.handle(job, () => void ticks.push(Date.now()))])
    await worker.ready()
    const begun = Date.now()
    await tasks.schedule('each-second', { pattern: '* * * * * *', timeZone: 'Europe/Berlin' }, job, { id: 'x' })
    await eventually(() => ticks.length >= 2)
    await tasks.unschedule(job, 'each-second')
    // Not at once, as an interval, but at the next full second.
    expect(Math.floor(ticks[0]! / 1000)).toBeGreaterThan(Math.floor(begun / 1000))
  })

  test.each([
    [{}, TypeError],
    [{ everyMs: 1000, pattern: '* * * * *' }, TypeError],
    [{ everyMs: 0 }, RangeError],
    [{ pattern: '' }, RangeError],
    [{ pattern: '61 * * * *' }, RangeError],
    [{ pattern: '0 0 30 2 *' }, RangeError],
    [{ pattern: '* * * * *', timeZone: 'Middle/Earth' }, RangeError],
  ])('refuses a schedule that never comes due: %j', async (timing, expected) => {
    const { tasks, job } = setUp()
    await using _ = tasks
    await expect(tasks.schedule('never', timing, job, { id: 'x' })).rejects.toThrow(expected)
    expect(await tasks.unschedule(job, 'never')).toBe(false)
  })

  test('hands a long job back at shutdown, rolled back and with no attempt used', async () => {
    const { tasks, job, account, balance } = setUp()
    await using _ = tasks
    const attempts: number[] = []
    const begun = Promise.withResolvers<void>()
    const long = tasks.handle(job, async ({ id }, { db, signal, job: { attempt } }) => {
      attempts.push(attempt)
      await credit(db, id)
      if (attempts.length > 1) return
      begun.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    const first = tasks.worker([long], { drainMs: 10 })
    await first.ready()
    await tasks.enqueue(job, { id: account })
    await begun.promise
    await first.close()
    expect(await balance(account)).toBeUndefined()
    await using second = tasks.worker([long])
    await second.ready()
    await eventually(() => balance(account))
    expect([attempts, await balance(account)]).toEqual([[1, 1], 1])
  })

  test('cancels a running job for good', async () => {
    const { tasks, job, queue } = setUp()
    await using _ = tasks
    const begun = Promise.withResolvers<void>()
    await using worker = tasks.worker([
      tasks.handle(job, async (_payload, { signal }) => {
        begun.resolve()
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }),
    ])
    await worker.ready()
    const { id } = await tasks.enqueue(job, { id: 'x' })
    await begun.promise
    expect([worker.cancel('unknown'), worker.cancel(id)]).toEqual([false, true])
    const letter = await eventually(async () => (await tasks.deadLetters(queue))[0])
    expect(letter).toMatchObject({ id, reason: expect.stringContaining('TASK_CANCELLED') })
  })
}

/** Takes what comes, and yet is asked. */
const anything: StandardSchema = {
  '~standard': { version: 1, vendor: 'tests', validate: (value) => ({ value }) },
}

/** A job as somebody writes it who can reach the queue but has no secret. */
function unsigned(queue: string) {
  const data = { v: 1, n: 1, c: { r: 'r', a: 'admin' }, p: { id: 'forged' } } as const
  const options = { attempts: 1, backoff: { type: 'fixed', delayMs: 1 } } as const
  return { id: 'forged', queue, name: 'credit', data, options }
}
