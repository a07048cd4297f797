import { describeWith } from '@org/services'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { createTasks, type Driver, kyselyDatabase, postgresDriver, redisDriver } from '../src/index.ts'
import { type ChildOrder, credit } from './support/child.ts'
import { spawnChild } from './support/spawn-child.ts'
import { eventually, openWorld, type World } from './support/world.ts'

describe('postgres driver', () => {
  crashes('postgres')
})
await describeWith('redis', 'redis driver', () => crashes('redis'))

/** Processes die at the worst moment; jobs neither get lost nor have their effect twice. */
function crashes(driver: 'postgres' | 'redis'): void {
  let world: World
  let count = 0
  beforeAll(async () => {
    world = await openWorld()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  const makeDriver = (): Driver => {
    const timing = { lockMs: 500, stalledCheckMs: 200 }
    return driver === 'postgres'
      ? postgresDriver({ connection: { connectionString: world.url, max: 4 }, ...timing })
      : redisDriver({ connection: inject('redisUrl') ?? '', prefix: world.prefix, ...timing })
  }

  async function setUp() {
    count += 1
    const queue = `crash${count}`
    const tasks = createTasks({
      driver: makeDriver(),
      database: kyselyDatabase(world.db),
      onError: () => {},
      relay: { intervalMs: 50 },
    })
    await tasks.migrate()
    const redisUrl = inject('redisUrl')
    const order = (mode: ChildOrder['mode'], more: Partial<ChildOrder> = {}): ChildOrder => ({
      driver,
      url: world.url,
      ...(redisUrl !== undefined && { redisUrl }),
      prefix: world.prefix,
      queue,
      mode,
      lockMs: 500,
      ...more,
    })
    const balance = async () =>
      (await world.db.selectFrom('accounts').select('balance').where('id', '=', queue).executeTakeFirst())?.balance
    /** Resolves once nothing waits or runs in the queue any more. */
    const settled = () =>
      eventually(async () => {
        const counts = await tasks.queue(queue)!.getJobCounts('waiting', 'active', 'delayed', 'prioritized')
        return Object.values(counts).every((one) => one === 0)
      })
    return { queue, tasks, order, balance, settled, job: credit(queue) }
  }

  const effect = (tasks: Awaited<ReturnType<typeof setUp>>['tasks'], queue: string, seen: unknown[] = []) =>
    tasks.handle(credit(queue), async ({ id }, { db, requestId, actor }) => {
      seen.push([requestId, actor])
      await db
        .insertInto('accounts')
        .values({ id, balance: 1, backend: null })
        .onConflict((at) => at.column('id').doUpdateSet((row) => ({ balance: row('accounts.balance', '+', 1) })))
        .execute()
    })

  test.each(['kill-before-add', 'kill-after-add'] as const)(
    'delivers a committed enqueue whose process died: %s',
    async (mode) => {
      const { queue, tasks, order, balance, settled } = await setUp()
      await using _ = tasks
      await using child = spawnChild(order(mode))
      expect((await child.ended).signal).toBe('SIGKILL')
      const seen: unknown[] = []
      await using worker = tasks.worker([effect(tasks, queue, seen)])
      await worker.ready()
      await eventually(balance)
      await settled()
      expect(seen).toEqual([['from-child', 'user:child']])
      expect(await balance()).toBe(1)
      expect(await world.db.selectFrom('task_outbox').selectAll().execute()).toEqual([])
    },
  )

  test('has its effect once when a worker dies between commit and completion', async () => {
    const { queue, tasks, order, balance, settled, job } = await setUp()
    await using _ = tasks
    await using child = spawnChild(order('kill-after-commit'))
    await child.says('ready')
    await tasks.enqueue(job, { id: queue })
    expect((await child.ended).signal).toBe('SIGKILL')
    expect(await balance()).toBe(1)
    const seen: unknown[] = []
    await using worker = tasks.worker([effect(tasks, queue, seen)])
    await worker.ready()
    await settled()
    expect([await balance(), seen]).toEqual([1, []])
  })

  test('survives three workers killed on one job', async () => {
    const { queue, tasks, order, balance, settled, job } = await setUp()
    await using _ = tasks
    await tasks.enqueue(job, { id: queue, how: 'hang' })
    for (let death = 0; death < 3; death += 1) {
      await using child = spawnChild(order('work'))
      expect(await child.says('begun')).toBe('begun 1')
      child.kill('SIGKILL')
      await child.ended
    }
    await using worker = tasks.worker([effect(tasks, queue)])
    await worker.ready()
    await eventually(balance)
    await settled()
    expect([await balance(), await tasks.deadLetters(queue)]).toEqual([1, []])
  })

  test('ends on SIGTERM: short jobs finish, long ones are handed back unburned', async () => {
    const { queue, tasks, order, balance, job } = await setUp()
    await using _ = tasks
    await using child = spawnChild(order('work', { lockMs: 30_000 }))
    await child.says('ready')
    await tasks.enqueue(job, { id: `${queue}-short` })
    await tasks.enqueue(job, { id: queue, how: 'hold' })
    await eventually(() => child.lines.filter((line) => line === 'begun 1').length === 2)
    child.kill('SIGTERM')
    expect(await child.ended).toEqual({ code: 0, signal: null })
    expect(await balance()).toBeUndefined()
    const seen: unknown[] = []
    await using worker = tasks.worker([
      tasks.handle(job, ({ id }, context) => void seen.push([id, context.job.attempt])),
    ])
    await worker.ready()
    await eventually(() => seen.length === 1)
    expect(seen).toEqual([[queue, 1]])
  })

  test('ends on SIGTERM at once when idle', async () => {
    const { tasks, order } = await setUp()
    await using _ = tasks
    await using child = spawnChild(order('work', { drainMs: 60_000 }))
    await child.says('ready')
    child.kill('SIGTERM')
    expect(await child.ended).toEqual({ code: 0, signal: null })
  })
}
