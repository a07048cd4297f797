import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'

import {
  createTasks,
  defineJob,
  type Driver,
  kyselyDatabase,
  postgresDriver,
  redisDriver,
  unchecked,
} from '../../src/index.ts'

/** What one of the processes is told, as JSON in its first argument. */
export interface ChaosOrder {
  readonly role: 'producer' | 'worker'
  readonly driver: 'postgres' | 'redis'
  readonly url: string
  readonly redisUrl: string
  readonly jobs: number
}

/** Sent to a worker: die at the next delivery of the outbox, before or after the queue has accepted it. */
export type Failpoint = 'before-add' | 'after-add'

interface Schema {
  orders: { n: number; effects: number }
}

const order = JSON.parse(process.argv[2] ?? '') as ChaosOrder
const pool = new pg.Pool({ connectionString: order.url, max: 12 })
pool.on('error', () => {})
// A client that is checked out announces its end itself, and without a listener the process would end with it.
pool.on('connect', (client) => client.on('error', () => {}))
const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
let failpoint: Failpoint | undefined
process.on('message', (message) => (failpoint = message as Failpoint))
// Whoever started this is gone.
process.on('disconnect', () => process.exit())

const tasks = createTasks({
  driver: deadly(makeDriver()),
  database: kyselyDatabase(db),
  // Lost connections are the point of the exercise; what counts is the end.
  onError: () => {},
  relay: { intervalMs: 100 },
})
const credit = defineJob({
  name: 'credit',
  schema: unchecked<{ n: number }>(),
  attempts: 100,
  backoff: { type: 'fixed', delayMs: 50 },
})

if (order.role === 'worker') work()
else await produce()

function work(): void {
  tasks.worker(
    [
      tasks.handle(credit, async ({ n }, { db: trx }) => {
        await trx
          .updateTable('orders')
          .set({ effects: sql<number>`effects + 1` })
          .where('n', '=', n)
          .execute()
      }),
    ],
    { concurrency: 8 },
  )
}

/** Commits each order together with its job; begins where a killed predecessor stopped. */
async function produce(): Promise<void> {
  const { last } = await db
    .selectFrom('orders')
    .select(({ fn }) => fn.max('n').as('last'))
    .executeTakeFirstOrThrow()
  for (let n = (last ?? -1) + 1; n < order.jobs;) {
    try {
      await tasks.transaction(async (trx) => {
        await trx.insertInto('orders').values({ n, effects: 0 }).execute()
        await tasks.enqueue(credit, { n })
      })
    } catch {
      // Committed or not: the table knows.
      const found = await db
        .selectFrom('orders')
        .select('n')
        .where('n', '=', n)
        .executeTakeFirst()
        .catch(() => undefined)
      if (found === undefined) continue
    }
    n += 1
  }
  await tasks[Symbol.asyncDispose]()
  await db.destroy()
  process.exit()
}

function makeDriver(): Driver {
  const timing = { lockMs: 1000, stalledCheckMs: 250, maxStalled: 1000 }
  return order.driver === 'postgres'
    ? postgresDriver({ connection: { connectionString: order.url, max: 6 }, ...timing })
    : redisDriver({ connection: order.redisUrl, ...timing })
}

function deadly(driver: Driver): Driver {
  return {
    ...driver,
    async add(records) {
      if (failpoint === 'before-add') die()
      const added = await driver.add(records)
      if (failpoint === 'after-add') die()
      return added
    },
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}
