import { afterAll, beforeAll, expect, test } from 'vitest'

import { context, createTasks, defineJob, kyselyDatabase, tryContext, unchecked } from '../src/index.ts'
import { defineSignal } from '../src/signals/index.ts'
import { eventually, makeDriver, openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const setUp = () => createTasks({ driver: makeDriver('postgres', world), database: kyselyDatabase(world.db) })

test('sends after the outermost commit, once, in the context of the sender', async () => {
  await using tasks = setUp()
  const signal = defineSignal<string>('changed')
  const heard: unknown[] = []
  signal.connect(async (payload) => {
    const row = await world.db.selectFrom('accounts').select('id').where('id', '=', 'signal').executeTakeFirst()
    heard.push([payload, row?.id, context().requestId, context().db])
  })
  await tasks.runInContext({ requestId: 'r' }, () =>
    tasks.transaction(async (trx) => {
      await signal.send('outer')
      await tasks.transaction(() => signal.send('inner'))
      await tasks
        .transaction(async () => {
          await signal.send('undone')
          throw new Error('undo')
        })
        .catch(() => {})
      await trx.insertInto('accounts').values({ id: 'signal', balance: 0, backend: null }).execute()
      expect(heard).toEqual([])
    }),
  )
  expect(heard).toEqual(['outer', 'inner'].map((payload) => [payload, 'signal', 'r', undefined]))
})

test('drops what a rolled back transaction sent', async () => {
  await using tasks = setUp()
  const signal = defineSignal<string>('changed')
  const heard: string[] = []
  signal.connect((payload) => heard.push(payload))
  const failed = tasks.transaction(async () => {
    await signal.send('undone')
    throw new Error('undo')
  })
  await expect(failed).rejects.toThrow('undo')
  await signal.send('at once')
  expect(heard).toEqual(['at once'])
})

test('a veto rolls the transaction back', async () => {
  await using tasks = setUp()
  const signal = defineSignal<string>('changing', { delivery: 'sync' })
  signal.connect(() => {
    throw new Error('not allowed')
  })
  const vetoed = tasks.transaction(async (trx) => {
    await trx.insertInto('accounts').values({ id: 'vetoed', balance: 0, backend: null }).execute()
    await signal.send('x')
  })
  await expect(vetoed).rejects.toThrow('not allowed')
  expect(await world.db.selectFrom('accounts').selectAll().where('id', '=', 'vetoed').execute()).toEqual([])
})

test(
  'a connected job is enqueued with the transaction, and with its rollback it is not',
  { timeout: 30_000 },
  async () => {
    await using tasks = setUp()
    const exported = defineJob({ name: 'export', queue: 'exports', schema: unchecked<{ id: string }>() })
    const signal = defineSignal<string>('changed')
    using _ = signal.connectJob(tasks, exported, { map: (id) => ({ id }) })
    const seen: unknown[] = []
    await using worker = tasks.worker([
      tasks.handle(exported, ({ id }, { requestId }) => void seen.push([id, requestId])),
    ])
    await worker.ready()
    const failed = tasks.transaction(async () => {
      await signal.send('undone')
      throw new Error('undo')
    })
    await expect(failed).rejects.toThrow('undo')
    await tasks.runInContext({ requestId: 'r' }, () => tasks.transaction(() => signal.send('kept')))
    await eventually(() => seen.length > 0)
    expect(seen).toEqual([['kept', 'r']])
  },
)

test('a receiver hears in the context of the sender, or in its own with `bind`', async () => {
  await using tasks = setUp()
  const signal = defineSignal<string>('changed')
  const heard: unknown[] = []
  tasks.runInContext({ requestId: 'subscriber' }, () => {
    signal.connect(() => heard.push(tryContext()?.requestId))
    signal.connect(() => heard.push(tryContext()?.requestId), { bind: true })
  })
  await tasks.runInContext({ requestId: 'sender' }, () => signal.send('x'))
  await signal.send('y')
  expect(heard).toEqual(['sender', 'subscriber', undefined, 'subscriber'])
})
