import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { context, createTasks, defineJob, kyselyDatabase, unchecked } from '../src/index.ts'
import { type DriverName, eventually, makeDriver, openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
}, 60_000)
afterAll(() => world[Symbol.asyncDispose]())

describe.each<DriverName>(['memory', 'postgres', 'redis'])('%s', (name) => {
  test('runs a job in the context of who enqueued it, after the commit', { timeout: 30_000 }, async () => {
    const credit = defineJob({ name: 'credit', schema: unchecked<{ id: string }>() })
    await using tasks = createTasks({ driver: makeDriver(name, world), database: kyselyDatabase(world.db) })
    await tasks.migrate()
    const seen: unknown[] = []
    await using worker = tasks.worker([
      tasks.handle(credit, async ({ id }, ctx) => {
        const row = await ctx.db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()
        seen.push([row?.id, ctx.requestId, context().actor, ctx.job.attempt])
      }),
    ])
    await worker.ready()
    await tasks.runInContext({ requestId: `r-${name}`, actor: 'user:1' }, () =>
      tasks.transaction(async (trx) => {
        await tasks.enqueue(credit, { id: name })
        await trx.insertInto('accounts').values({ id: name, balance: 1, backend: null }).execute()
      }),
    )
    await eventually(() => seen.length > 0)
    expect(seen).toEqual([[name, `r-${name}`, 'user:1', 1]])
    await expect(
      tasks.transaction(async () => {
        await tasks.enqueue(credit, { id: 'never' })
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
  })
})
