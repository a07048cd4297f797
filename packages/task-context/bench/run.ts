import { parseArgs } from 'node:util'

import { startRedis } from '@org/services'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'

import { benchBuffer, benchEnqueue, benchOutbox, benchRelay, benchWakeUp } from './enqueue.ts'
import { benchMemory } from './memory.ts'
import { benchShutdown } from './shutdown.ts'
import { benchSignals } from './signals.ts'
import { benchSize } from './size.ts'
import { withDatabase } from './support/database.ts'
import { benchTransaction, benchWorker } from './worker.ts'

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '9' },
    jobs: { type: 'string', default: '3000' },
    only: { type: 'string', default: 'worker,enqueue,transaction,outbox,memory,signals,shutdown,size' },
    quick: { type: 'boolean', default: false },
  },
})
const [pairs, jobs] = values.quick ? [1, 240] : [Number(values.pairs), Number(values.jobs)]
const wanted = new Set(values.only.split(','))

await using redis = await startRedis()
console.log(`Node ${process.version}, ${pairs} pairs of ${jobs}; median (range)`)
// A worker lives for long: of one that ends after a few thousand jobs, V8 has no time to make the most.
if (wanted.has('worker')) await benchWorker(redis.url, pairs, jobs * 3)
if (wanted.has('enqueue')) await benchEnqueue(redis.url, pairs, jobs / 2)
if (wanted.has('transaction') || wanted.has('outbox')) {
  await withDatabase(async (url) => {
    const pool = new pg.Pool({ connectionString: url, max: 16 })
    // A server that stops ends connections that are just being closed, and says so to them.
    pool.on('error', () => {})
    const db = new Kysely<{ bench: { n: number } }>({ dialect: new PostgresDialect({ pool }) })
    await sql`create table bench (n int)`.execute(db)
    if (wanted.has('transaction')) await benchTransaction(redis.url, db, pairs, jobs / 3)
    if (wanted.has('outbox')) {
      await benchBuffer(db, pairs, jobs * 5)
      await benchOutbox(redis.url, db, pairs, jobs / 4)
      await benchRelay(redis.url, db, pairs, jobs)
      await benchWakeUp(redis.url, url, db, pairs * 3)
    }
    await db.destroy()
  })
}
if (wanted.has('memory')) await benchMemory(redis.url, values.quick ? 1000 : 100_000)
if (wanted.has('signals')) await benchSignals(pairs, values.quick ? 1000 : 200_000)
if (wanted.has('shutdown')) await benchShutdown(redis.url, values.quick ? 1 : 5)
if (wanted.has('size')) await benchSize()
