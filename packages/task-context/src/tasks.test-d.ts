import type { Kysely, Transaction } from 'kysely'
import { expectTypeOf, test } from 'vitest'

import { createTasks, defineJob, kyselyDatabase, type StandardSchema, unchecked } from './index.ts'
import { memoryDriver } from './memory.ts'
import { defineSignal, muted } from './signals/index.ts'

declare const db: Kysely<{ orders: { id: string } }>
declare const dates: StandardSchema<string, Date>
declare const plans: StandardSchema<'free' | 'paid'>

const tasks = createTasks({
  driver: memoryDriver(),
  database: kyselyDatabase(db),
  context: { fields: { plan: plans } },
  resources: { mail: { open: async () => ({ send: (to: string) => to }) } },
})
const remind = defineJob({ name: 'remind', schema: dates })

test('a job takes what its schema takes, and hands on what it makes of it', () => {
  void tasks.enqueue(remind, '2026-01-01')
  // @ts-expect-error -- the schema takes a text
  void tasks.enqueue(remind, new Date())
  tasks.handle(remind, (payload) => expectTypeOf(payload).toEqualTypeOf<Date>())
})

test('a handler has the fields, the resources and the database it asked for', () => {
  tasks.handle(remind, (_payload, context) => {
    expectTypeOf(context.db).toEqualTypeOf<Transaction<{ orders: { id: string } }>>()
    expectTypeOf(context.plan).toEqualTypeOf<'free' | 'paid' | undefined>()
    expectTypeOf(context.requestId).toEqualTypeOf<string>()
    expectTypeOf(context.resources.mail.send('x')).toEqualTypeOf<string>()
  })
  tasks.handle(remind, (_payload, context) => expectTypeOf(context.db).toEqualTypeOf<undefined>(), { database: 'none' })
  // @ts-expect-error -- no such plan
  tasks.runInContext({ plan: 'gold' }, () => {})
})

test('a signal carries one type, and a job that takes another needs a map', () => {
  const paid = defineSignal<{ orderId: string }>('paid')
  const other = defineJob({ name: 'other', schema: unchecked<{ id: string }>() })
  paid.connect(({ orderId }) => expectTypeOf(orderId).toEqualTypeOf<string>())
  paid.connectJob(tasks, other, { map: ({ orderId }) => ({ id: orderId }) })
  // @ts-expect-error -- { orderId } is no { id }
  paid.connectJob(tasks, other)
  // @ts-expect-error -- what is not defined cannot be muted
  muted([undefined], () => {})
})
