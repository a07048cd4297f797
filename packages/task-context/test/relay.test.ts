import { afterAll, beforeAll, expect, test } from 'vitest'

import { createTasks, defineJob, type Driver, kyselyDatabase, unchecked } from '../src/index.ts'
import { memoryDriver } from '../src/memory.ts'
import { eventually, openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const job = defineJob({ name: 'job', schema: unchecked<string>() })

/** A queue behind an outbox that will not have some jobs, or none as long as it is down. */
function picky() {
  const delivered: unknown[] = []
  const state = { down: false }
  const driver: Driver = {
    ...memoryDriver(),
    enlist: 'outbox',
    add: async (records) => {
      if (state.down) throw new Error('the queue is down')
      if (records.some(({ data }) => data.p === 'bad')) throw new Error('the queue will not have it')
      delivered.push(...records.map(({ data }) => data.p))
      return records.map(({ id }) => ({ id, deduplicated: false }))
    },
  }
  return { driver, delivered, state }
}

test('one job that the queue will not have does not keep the others back', async () => {
  const { driver, delivered, state } = picky()
  const errors: string[] = []
  const tasks = createTasks({
    driver,
    database: kyselyDatabase(world.db),
    onError: (error) => errors.push(error.message),
    relay: { intervalMs: 3_600_000 },
  })
  await using _ = tasks
  await tasks.migrate()
  // Not by `tasks.transaction`, which would have the relay look at once.
  await world.db
    .transaction()
    .execute((transaction) => tasks.enqueueMany(job, ['bad', 'first', 'second'], { transaction }))
  const relay = tasks.relay()
  await eventually(() => errors.length > 0)
  expect([delivered, errors]).toEqual([['first', 'second'], ['the queue will not have it']])
  await expect(relay.drain()).rejects.toThrow('the queue will not have it')
  const waiting = () => world.db.selectFrom('task_outbox').select('id').execute()
  expect(await waiting()).toHaveLength(1)

  state.down = true
  const before = await waiting()
  await expect(relay.drain()).rejects.toThrow('the queue is down')
  expect(await waiting()).toEqual(before)
})
