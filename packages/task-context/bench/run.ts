import { parseArgs } from 'node:util'

import { startRedis } from '@org/services'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'

import { benchEnqueue, benchRelay, benchTransactional, benchWakeUp } from './enqueue.ts'
import { benchMemory } from './memory.ts'
import { benchSignals } from './signals.ts'
import { withDatabase } from './support/database.ts'
import { benchTransaction, benchWorker } from './worker.ts'

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '9' },
    jobs: { type: 'string', default: '2000' },
    only: { type: 'string', default: 'worker,enqueue,memory,signals,database' },
  },
})
const [pairs, jobs] = [Number(values.pairs), Number(values.jobs)]
const wanted = new Set(values.only.split(','))

await using redis = await startRedis()
console.log(`Node ${process.version}, ${pairs} pairs of ${jobs}; median (range)`)
if (wanted.has('worker')) await benchWorker(redis.url, pairs, jobs)
if (wanted.has('enqueue')) await benchEnqueue(redis.url, pairs, jobs)
if (wanted.has('database')) {
  await withDatabase(async (url) => {
    const pool = new pg.Pool({ connectionString: url, max: 16 })
    const db = new Kysely<{ bench: { n: number } }>({ dialect: new PostgresDialect({ pool }) })
    await sql`create table bench (n int)`.execute(db)
    await benchTransaction(redis.url, db, pairs, jobs / 2)
    await benchTransactional(redis.url, db, pairs, jobs)
    await benchRelay(redis.url, db, pairs, jobs)
    await benchWakeUp(redis.url, url, db, pairs * 3)
    await db.destroy()
  })
}
if (wanted.has('memory')) await benchMemory(redis.url)
if (wanted.has('signals')) await benchSignals(pairs, 200_000)
