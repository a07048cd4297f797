import { peer } from '@org/bench'
import { Queue, Worker } from 'bullmq'
import { type Kysely, sql } from 'kysely'

import {
  createTasks,
  type Database,
  defineJob,
  type Handler,
  kyselyDatabase,
  redisDriver,
  type Tasks,
  unchecked,
} from '../src/index.ts'
import { memoryDriver } from '../src/memory.ts'
import { type Cost, measure, paired, report } from './support/paired.ts'

/** About 180 bytes, as small jobs are. */
const PAYLOAD = { orderId: 'a'.repeat(36), customerId: 'b'.repeat(36), note: 'c'.repeat(60) }
const RETRY = { attempts: 3, backoff: { type: 'exponential', delay: 1000 } } as const
const KEEP = { removeOnComplete: { age: 3600, count: 1000 } }

let runs = 0

/** Jobs of a worker of BullMQ. */
async function theirs(redisUrl: string, concurrency: number, jobs: number, work: () => Promise<void>): Promise<Cost> {
  const connection = { url: redisUrl, maxRetriesPerRequest: null }
  const queue = new Queue(`bare-${(runs += 1)}`, { connection })
  await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'job', data: PAYLOAD, opts: RETRY })))
  const cost = await measure(jobs, async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let done = 0
    const run = async () => {
      await work()
      if ((done += 1) === jobs) resolve()
    }
    const worker = new Worker(queue.name, run, { connection, concurrency, ...KEEP })
    await promise
    await worker.close()
  })
  await queue.obliterate({ force: true })
  await queue.close()
  return cost
}

/** The same jobs of a worker of ours. */
async function ours<Trx extends Kysely<Schema>>(
  redisUrl: string,
  concurrency: number,
  jobs: number,
  work: (db: Trx) => Promise<void>,
  database?: Database<Trx>,
): Promise<Cost> {
  const job = defineJob({ name: 'job', queue: `ours-${(runs += 1)}`, schema: unchecked<typeof PAYLOAD>() })
  const connection = { url: redisUrl, maxRetriesPerRequest: null }
  await using tasks = createTasks({
    driver: redisDriver({ connection }),
    ...(database && { database }),
  }) as unknown as Tasks
  await tasks.enqueueMany(
    job,
    Array.from({ length: jobs }, () => PAYLOAD),
  )
  const cost = await measure(jobs, async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let done = 0
    const handler: Handler = tasks.handle(job, async (_payload, { db }) => {
      await work(db as Trx)
      if ((done += 1) === jobs) resolve()
    })
    const worker = tasks.worker([handler], { concurrency })
    await promise
    await worker.close()
  })
  await tasks.queue(job)!.obliterate({ force: true })
  return cost
}

/** Jobs with an empty handler: ours against a worker of BullMQ with the same settings. */
export async function benchWorker(redisUrl: string, pairs: number, jobs: number): Promise<void> {
  const bullmq = peer('bullmq', import.meta.url)
  for (const concurrency of [1, 16, 64]) {
    const nothing = async () => {}
    const { cpu, rate } = await paired(
      pairs,
      () => ours(redisUrl, concurrency, jobs, nothing),
      () => theirs(redisUrl, concurrency, jobs, nothing),
    )
    report(`worker, concurrency ${concurrency}: CPU per job`, cpu, { goal: { atMost: 1.1 }, peer: bullmq })
    report(`worker, concurrency ${concurrency}: jobs per second`, rate, { goal: { atLeast: 0.9 }, peer: bullmq })
  }
}

interface Schema {
  bench: { n: number }
}

/**
 * Jobs that write a row: our transaction and ledger against the same statements by hand, and what the ledger's one
 * costs by itself.
 */
export async function benchTransaction(redisUrl: string, db: Kysely<Schema>, pairs: number, jobs: number) {
  await using owner = createTasks({ driver: memoryDriver(), database: kyselyDatabase(db) })
  await owner.migrate()
  const concurrency = 8
  const write = async (trx: Kysely<Schema>) => {
    await trx.insertInto('bench').values({ n: runs }).execute()
  }
  let entries = 0
  const enter = (trx: Kysely<Schema>) => {
    entries += 1
    const id = `jabcdefghijkl${entries.toString(36).padStart(7, '0')}`
    return sql`insert into task_ledger (queue, job_id) values (${`hand-${runs}`}, ${id})
      on conflict do nothing returning true as inserted`.execute(trx)
  }
  const byHand = (ledger: boolean) => () =>
    theirs(redisUrl, concurrency, jobs, () =>
      db.transaction().execute(async (trx) => {
        if (ledger) await enter(trx)
        await write(trx)
      }),
    )
  const bullmq = peer('bullmq', import.meta.url)
  const hand = { ...bullmq, name: 'BEGIN, the same statements and COMMIT by hand, on bullmq' }
  const { cpu, rate } = await paired(
    pairs,
    () => ours(redisUrl, concurrency, jobs, write, kyselyDatabase(db)),
    byHand(true),
  )
  report('worker with transaction and ledger: jobs per second', rate, { goal: { atLeast: 0.95 }, peer: hand })
  report('worker with transaction and ledger: CPU per job', cpu, { peer: hand })
  const ledger = await paired(pairs, byHand(true), byHand(false))
  const without = { ...bullmq, name: 'BEGIN and COMMIT by hand without a ledger, on bullmq' }
  report('the ledger by itself, by hand: jobs per second', ledger.rate, { peer: without })
}
