import { Queue, Worker } from 'bullmq'
import type { Kysely } from 'kysely'

import { createTasks, defineJob, kyselyDatabase, redisDriver, unchecked } from '../src/index.ts'
import { type Cost, measure, paired, report } from './support/paired.ts'

/** About 180 bytes, as small jobs are. */
const PAYLOAD = { orderId: 'a'.repeat(36), customerId: 'b'.repeat(36), note: 'c'.repeat(60) }
const RETRY = { attempts: 3, backoff: { type: 'exponential', delay: 1000 } } as const
const KEEP = { removeOnComplete: { age: 3600, count: 1000 } }

/** Jobs with an empty handler: ours against a worker of BullMQ with the same settings. */
export async function benchWorker(redisUrl: string, pairs: number, jobs: number): Promise<void> {
  const connection = { url: redisUrl, maxRetriesPerRequest: null }
  for (const concurrency of [1, 16, 64]) {
    let run = 0
    const theirs = async (): Promise<Cost> => {
      run += 1
      const name = `bare-${concurrency}-${run}`
      const queue = new Queue(name, { connection })
      await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'job', data: PAYLOAD, opts: RETRY })))
      const cost = await measure(jobs, async () => {
        const { promise, resolve } = Promise.withResolvers<void>()
        let done = 0
        const worker = new Worker(name, async () => (done += 1) === jobs && resolve(), {
          connection,
          concurrency,
          ...KEEP,
        })
        await promise
        await worker.close()
      })
      await queue.obliterate({ force: true })
      await queue.close()
      return cost
    }
    const ours = async (): Promise<Cost> => {
      run += 1
      const job = defineJob({ name: 'job', queue: `ours-${concurrency}-${run}`, schema: unchecked<typeof PAYLOAD>() })
      await using tasks = createTasks({ driver: redisDriver({ connection }) })
      await tasks.enqueueMany(
        job,
        Array.from({ length: jobs }, () => PAYLOAD),
      )
      const cost = await measure(jobs, async () => {
        const { promise, resolve } = Promise.withResolvers<void>()
        let done = 0
        const worker = tasks.worker([tasks.handle(job, () => void ((done += 1) === jobs && resolve()))], {
          concurrency,
        })
        await promise
        await worker.close()
      })
      await tasks.queue(job)!.obliterate({ force: true })
      return cost
    }
    const result = await paired(pairs, ours, theirs)
    report(`worker, concurrency ${concurrency}: CPU per job, ours ÷ bare`, result.cpu, { atMost: 1.1 })
    report(`worker, concurrency ${concurrency}: jobs per second, ours ÷ bare`, result.rate, { atLeast: 0.9 })
  }
}

interface Schema {
  bench: { n: number }
}

/** The same with a row to write: ours with its transaction and ledger, theirs with BEGIN and COMMIT by hand. */
export async function benchTransaction(redisUrl: string, db: Kysely<Schema>, pairs: number, jobs: number) {
  const connection = { url: redisUrl, maxRetriesPerRequest: null }
  const concurrency = 8
  let run = 0
  const theirs = async (): Promise<Cost> => {
    run += 1
    const queue = new Queue(`bare-tx-${run}`, { connection })
    await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'job', data: PAYLOAD, opts: RETRY })))
    const cost = await measure(jobs, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      let done = 0
      const worker = new Worker(
        queue.name,
        async () => {
          await db.transaction().execute((trx) => trx.insertInto('bench').values({ n: done }).execute())
          if ((done += 1) === jobs) resolve()
        },
        { connection, concurrency, ...KEEP },
      )
      await promise
      await worker.close()
    })
    await queue.obliterate({ force: true })
    await queue.close()
    return cost
  }
  const ours = async (): Promise<Cost> => {
    run += 1
    const job = defineJob({ name: 'job', queue: `ours-tx-${run}`, schema: unchecked<typeof PAYLOAD>() })
    await using tasks = createTasks({ driver: redisDriver({ connection }), database: kyselyDatabase(db) })
    await tasks.migrate()
    await tasks.enqueueMany(
      job,
      Array.from({ length: jobs }, () => PAYLOAD),
    )
    const cost = await measure(jobs, async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      let done = 0
      const worker = tasks.worker(
        [
          tasks.handle(job, async (_payload, { db: trx }) => {
            await trx.insertInto('bench').values({ n: done }).execute()
            if ((done += 1) === jobs) resolve()
          }),
        ],
        { concurrency },
      )
      await promise
      await worker.close()
    })
    await tasks.queue(job)!.obliterate({ force: true })
    return cost
  }
  const result = await paired(pairs, ours, theirs)
  report('worker with a transaction and ledger: jobs per second, ours ÷ BEGIN/COMMIT by hand', result.rate, {
    atLeast: 0.95,
  })
}
