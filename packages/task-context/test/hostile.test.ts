import { describeWith } from '@org/services'
import { BullMQOtel } from 'bullmq-otel'
import { Redis } from 'ioredis'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { createTasks, defineJob, kyselyDatabase, postgresDriver, redisDriver, unchecked } from '../src/index.ts'
import { eventually, openWorld, text, type World } from './support/world.ts'

describe('postgres driver', () => {
  hostile('postgres')
})
await describeWith('redis', 'redis driver', () => {
  hostile('redis')
  damaged()
})

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

let count = 0
function setUp(driver: 'postgres' | 'redis', options: { lockMs?: number; telemetry?: BullMQOtel } = {}) {
  count += 1
  const queue = `h${count}`
  const timing = { lockMs: 30_000, stalledCheckMs: 200, ...options }
  const errors: Error[] = []
  const tasks = createTasks({
    driver:
      driver === 'postgres'
        ? postgresDriver({ connection: { connectionString: world.url, max: 4 }, ...timing })
        : redisDriver({ connection: inject('redisUrl') ?? '', prefix: world.prefix, ...timing }),
    database: kyselyDatabase(world.db),
    context: { fields: { plan: text(['free', 'paid']) } },
    onError: (error) => errors.push(error),
  })
  const job = defineJob({
    name: 'note',
    queue,
    schema: unchecked<{ n: number; more?: unknown }>(),
    backoff: { type: 'fixed', delayMs: 10 },
  })
  return { tasks, queue, job, errors }
}

/** Somebody writes into the queue what does not belong there. */
function hostile(driver: 'postgres' | 'redis'): void {
  test('puts jobs that are no envelopes aside, and runs the others', async () => {
    const { tasks, queue, job } = setUp(driver)
    await using _ = tasks
    const garbage = [
      null,
      1,
      'text',
      [],
      {},
      { v: 2 },
      { v: 1, n: 0, c: {} },
      { v: 1, n: 1, c: 'x' },
      { v: 1, n: 1, c: {} },
    ]
    for (const data of garbage) await tasks.queue(queue)!.add('note', data)
    await tasks.enqueueMany(job, [{ n: 1 }, { n: 2 }])
    const seen: number[] = []
    await using worker = tasks.worker([tasks.handle(job, ({ n }) => void seen.push(n))])
    await worker.ready()
    const letters = await eventually(async () => {
      const found = await tasks.deadLetters(queue)
      return found.length === garbage.length && found
    })
    for (const { reason, attempts } of letters) {
      expect(reason).toMatch(/^TASK_(POISON|CONTEXT_INVALID): Expected /)
      expect(attempts).toBe(1)
    }
    await eventually(() => seen.length === 2)
  })

  test('lets no prototype in, and drops fields that are not allowed', async () => {
    const { tasks, queue, job } = setUp(driver)
    await using _ = tasks
    const c = JSON.parse(
      '{"r":"r1","__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"admin":true,"f":{"plan":"paid","role":"root","__proto__":{"x":1}}}',
    ) as object
    const p = JSON.parse('{"n":1,"__proto__":{"x":1},"more":{"constructor":{"prototype":{"x":1}}}}') as object
    await tasks.queue(queue)!.add('note', { v: 1, n: 1, c, p })
    const seen: unknown[] = []
    await using worker = tasks.worker([
      tasks.handle(job, (_payload, context) => {
        const { requestId, plan } = context
        seen.push({
          requestId,
          plan,
          names: Object.keys(context).sort((a, b) => (a < b ? -1 : 1)),
          inherited: ['constructor', '__proto__', 'toString'].map(
            (name) => (context as unknown as Record<string, unknown>)[name],
          ),
          x: ({} as { x?: unknown }).x,
          contextX: (context as { x?: unknown }).x,
        })
      }),
    ])
    await worker.ready()
    await eventually(() => seen.length === 1)
    expect(seen[0]).toEqual({
      requestId: 'r1',
      plan: 'paid',
      names: ['db', 'job', 'plan', 'requestId', 'resources'],
      inherited: [undefined, undefined, undefined],
      x: undefined,
      contextX: undefined,
    })
  })

  test('refuses too large a context at the door, naming fields and sizes only', async () => {
    const { tasks, queue, job } = setUp(driver)
    await using _ = tasks
    const actor = `user:${'secret'.repeat(1000)}`
    const refused = await tasks
      .runInContext({ actor }, () => tasks.enqueue(job, { n: 1 }))
      .then(() => undefined)
      .catch((error: Error) => error)
    expect(refused).toMatchObject({ code: 'TASK_CONTEXT_TOO_LARGE', message: expect.stringContaining('actor 6007') })
    expect(refused?.message).not.toContain('secret')
    expect(await tasks.queue(queue)!.count()).toBe(0)
  })

  test.each([
    { name: 'cut off', metadata: '{' },
    { name: 'null', metadata: 'null' },
    { name: 'a list', metadata: '[]' },
    { name: 'a number', metadata: '{"traceparent":5}' },
    { name: 'noise', metadata: 'x'.repeat(10_000) },
  ])('runs a job whose trace is $name', async ({ metadata }) => {
    const { tasks, queue, job } = setUp(driver, { telemetry: new BullMQOtel() })
    await using _ = tasks
    const data = { v: 1, n: 1, c: { r: 'r' }, p: { n: 1 } }
    await tasks.queue(queue)!.addBulk([{ name: 'note', data, opts: { telemetry: { metadata } } }])
    await tasks.enqueue(job, { n: 2 })
    const seen: number[] = []
    await using worker = tasks.worker([tasks.handle(job, ({ n }) => void seen.push(n))])
    await worker.ready()
    await eventually(() => seen.length === 2)
    expect(seen).toEqual([1, 2])
  })

  test('aborts and does not commit when the lock is lost', async () => {
    const { tasks, queue, job } = setUp(driver, { lockMs: 400 })
    await using _ = tasks
    const reasons: unknown[] = []
    const begun = Promise.withResolvers<void>()
    await using worker = tasks.worker([
      tasks.handle(job, async (_payload, { db, signal }) => {
        await db
          .insertInto('accounts')
          .values({ id: queue, balance: 1, backend: null })
          .onConflict((at) => at.column('id').doUpdateSet((row) => ({ balance: row('accounts.balance', '+', 1) })))
          .execute()
        if (reasons.length > 0) return
        begun.resolve()
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        reasons.push(signal.reason)
      }),
    ])
    await worker.ready()
    const { id } = await tasks.enqueue(job, { n: 1 })
    await begun.promise
    if (driver === 'postgres') {
      await sql`update bullmq.job set lock_token = 'thief', locked_until_ms = 0 where id = ${id}`.execute(world.db)
    } else {
      using redis = openRedis()
      await redis.client.del(`${world.prefix}:${queue}:${id}:lock`)
    }
    await eventually(async () => {
      const row = await world.db.selectFrom('accounts').select('balance').where('id', '=', queue).executeTakeFirst()
      return row?.balance
    })
    expect(reasons).toMatchObject([{ code: 'TASK_LOCK_LOST' }])
    await eventually(async () => (await tasks.queue(queue)!.getCompletedCount()) === 1)
    const row = await world.db.selectFrom('accounts').select('balance').where('id', '=', queue).executeTakeFirst()
    expect(row?.balance).toBe(1)
  })
}

/** Bytes in Redis that are not even JSON; Postgres does not let such a thing in. */
function damaged(): void {
  test('puts damaged jobs aside with a reason, keeps its pace, and runs them once repaired', async () => {
    const { tasks, queue, job, errors } = setUp('redis')
    await using _ = tasks
    const damage = { data: '{not json', opts: 'garbage', progress: '{', parent: 'x', all: '' }
    const ids = new Map<string, string>()
    for (const field of Object.keys(damage)) ids.set(field, (await tasks.enqueue(job, { n: -1 })).id)
    const good = await tasks.enqueueMany(
      job,
      Array.from({ length: 200 }, (_one, n) => ({ n })),
    )
    using redis = openRedis()
    const key = (id: string) => `${world.prefix}:${queue}:${id}`
    for (const [field, value] of Object.entries(damage)) {
      const id = ids.get(field)!
      if (field === 'all') await redis.client.hset(key(id), { data: '\u0000', opts: '[', progress: ']' })
      else await redis.client.hset(key(id), { [field]: value })
    }
    const seen: number[] = []
    await using worker = tasks.worker([tasks.handle(job, ({ n }) => void seen.push(n), { database: 'none' })])
    await worker.ready()
    await eventually(() => seen.filter((n) => n >= 0).length === good.length)
    const letters = await eventually(async () => {
      const found = await tasks.deadLetters(queue)
      return found.length === 5 && found
    })
    expect(new Map(letters.map(({ id, reason }) => [id, reason]))).toEqual(
      new Map(
        [...ids].map(([field, id]) => [
          id,
          expect.stringMatching(`^TASK_POISON: .*\`${field === 'all' ? 'data|progress|opts' : field}\` is no JSON`),
        ]),
      ),
    )
    expect(errors).toEqual([])
    // What could be read is still there for whoever repairs the job.
    for (const field of ['opts', 'progress', 'parent']) {
      const damagedJob = await tasks.queue(queue)!.getJob(ids.get(field)!)
      expect(JSON.parse(damagedJob!.data.data as string)).toMatchObject({ v: 1, p: { n: -1 } })
    }
    const [letter] = letters
    const stored = await tasks.queue(queue)!.getJob(letter!.id)
    await stored!.updateData({ v: 1, n: 1, c: { r: 'repaired' }, p: { n: 1000 } })
    expect(await tasks.redrive(letter!)).toBe(true)
    await eventually(() => seen.includes(1000))
  })
}

function openRedis(): Disposable & { readonly client: Redis } {
  const client = new Redis(inject('redisUrl') ?? '')
  return { client, [Symbol.dispose]: () => client.disconnect() }
}
