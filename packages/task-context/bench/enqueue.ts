import { peer } from '@org/bench'
import { Queue } from 'bullmq'
import type { Kysely } from 'kysely'

import {
  createTasks,
  defineJob,
  kyselyDatabase,
  postgresDriver,
  redisDriver,
  type StandardSchema,
  unchecked,
} from '../src/index.ts'
import { memoryDriver } from '../src/memory.ts'
import { randomId } from '../src/internal/ids.ts'
import { type Cost, interleaved, measure, paired, report, sorted } from './support/paired.ts'

interface Payload {
  readonly orderId: string
  readonly note: string
}

const PAYLOAD: Payload = { orderId: 'a'.repeat(36), note: 'c'.repeat(100) }
const CALLER = { requestId: 'r'.repeat(20), actor: 'user:1' }
const RETRY = { attempts: 3, backoff: { type: 'exponential', delay: 1000 } } as const

const schema: StandardSchema<Payload> = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate(value) {
      const { orderId, note } = value as Payload
      return typeof orderId === 'string' && typeof note === 'string'
        ? { value: { orderId, note } }
        : { issues: [{ message: 'no order' }] }
    },
  },
}

/** An enqueue outside of a transaction, against `queue.add`. */
export async function benchEnqueue(redisUrl: string, pairs: number, jobs: number): Promise<void> {
  const connection = { url: redisUrl, maxRetriesPerRequest: null }
  const queue = new Queue('bare-add', { connection })
  await using tasks = createTasks({ driver: redisDriver({ connection }) })
  const plain = defineJob({ name: 'job', queue: 'ours-add', schema: unchecked<Payload>() })
  const checked = defineJob({ name: 'checked', queue: 'ours-add', schema })
  const bare = () => queue.add('job', PAYLOAD, RETRY)
  const envelope = { v: 1, c: { r: CALLER.requestId, a: CALLER.actor }, p: PAYLOAD }
  const named = () => queue.add('job', envelope, { ...RETRY, jobId: randomId() })
  const bullmq = peer('bullmq', import.meta.url)
  for (const [name, job, atMost] of [
    ['without', plain, 10],
    ['with', checked, 40],
  ] as const) {
    const ours = () => tasks.enqueue(job, PAYLOAD)
    const { cpuMicros, cpu } = await tasks.runInContext(CALLER, () => interleaved(pairs, jobs, ours, bare))
    report(`enqueue ${name} schema: CPU above bare add`, cpuMicros, { goal: { atMost }, unit: ' µs' })
    report(`enqueue ${name} schema: CPU`, cpu, { peer: bullmq })
    const same = await tasks.runInContext(CALLER, () => interleaved(pairs, jobs, ours, named))
    report(`enqueue ${name} schema: CPU above an add of the same job`, same.cpuMicros, { unit: ' µs' })
    const peerOfSame = { ...bullmq, name: 'bullmq, the same id and envelope by hand' }
    report(`enqueue ${name} schema: CPU, same job`, same.cpu, { peer: peerOfSame })
  }
  await queue.obliterate({ force: true })
  await tasks.queue(plain)!.obliterate({ force: true })
  await queue.close()
}

interface Schema {
  bench: { n: number }
}

/** An enqueue that waits in memory for the commit around it. */
export async function benchBuffer(db: Kysely<Schema>, pairs: number, jobs: number): Promise<void> {
  const job = defineJob({ name: 'job', schema: unchecked<Payload>() })
  await using tasks = createTasks({ driver: memoryDriver(), database: kyselyDatabase(db) })
  const costs: number[] = []
  for (let pair = -1; pair < pairs; pair += 1) {
    const undone = tasks.runInContext(CALLER, () =>
      tasks.transaction(async () => {
        const { cpuMicros } = await measure(jobs, async () => {
          for (let n = 0; n < jobs; n += 1) await tasks.enqueue(job, PAYLOAD)
        })
        if (pair >= 0) costs.push(cpuMicros)
        throw new Error('undo')
      }),
    )
    await undone.catch(() => {})
  }
  report('enqueue into the after-commit buffer: CPU', sorted(costs), { goal: { atMost: 3 }, unit: ' µs' })
}

/** A transaction with an outbox row, against the same with one more plain insert. */
export async function benchOutbox(redisUrl: string, db: Kysely<Schema>, pairs: number, rows: number): Promise<void> {
  const database = kyselyDatabase(db)
  const job = defineJob({ name: 'job', queue: 'ours-tx', schema: unchecked<Payload>() })
  await using tasks = createTasks({ driver: redisDriver({ connection: redisUrl }), database })
  await tasks.migrate()
  const insert = (trx: Kysely<Schema>) => trx.insertInto('bench').values({ n: 1 }).execute()
  const { rate } = await tasks.runInContext(CALLER, () =>
    interleaved(
      pairs,
      rows,
      () =>
        database.transaction(async (trx) => {
          await insert(trx)
          await tasks.enqueue(job, PAYLOAD, { transaction: trx })
        }),
      () =>
        database.transaction(async (trx) => {
          await insert(trx)
          await insert(trx)
        }),
    ),
  )
  report('transaction with an outbox row: time', sorted(rate.map((one) => 1 / one)), {
    goal: { atMost: 1.15 },
    peer: { ...peer('kysely', import.meta.url), name: 'the same with one more plain insert, on kysely' },
  })
  await db.deleteFrom('task_outbox' as 'bench').execute()
}

/** Moving the outbox into the queue, against `addBulk` of batches of the same size. */
export async function benchRelay(redisUrl: string, db: Kysely<Schema>, pairs: number, jobs: number): Promise<void> {
  const connection = { url: redisUrl, maxRetriesPerRequest: null }
  const queue = new Queue('bare-bulk', { connection })
  const batch = 100
  await using tasks = createTasks({
    driver: redisDriver({ connection }),
    database: kyselyDatabase(db),
    relay: { batch, intervalMs: 3_600_000 },
  })
  await tasks.migrate()
  const job = defineJob({ name: 'job', queue: 'ours-bulk', schema: unchecked<Payload>() })
  const relay = tasks.relay()
  const ours = async (): Promise<Cost> => {
    await db.transaction().execute(async (trx) => {
      await tasks.enqueueMany(
        job,
        Array.from({ length: jobs }, () => PAYLOAD),
        { transaction: trx },
      )
    })
    return measure(jobs, async () => void (await relay.drain()))
  }
  const theirs = () =>
    measure(jobs, async () => {
      for (let n = 0; n < jobs; n += batch) {
        await queue.addBulk(Array.from({ length: batch }, () => ({ name: 'job', data: PAYLOAD, opts: RETRY })))
      }
    })
  const { rate } = await paired(pairs, ours, theirs)
  report('relay: jobs per second', rate, {
    goal: { atLeast: 0.7 },
    peer: { ...peer('bullmq', import.meta.url), name: `addBulk of ${batch}, bullmq` },
  })
  await queue.obliterate({ force: true })
  await tasks.queue(job)!.obliterate({ force: true })
  await queue.close()
}

/** From the commit to the first line of the handler, with an idle worker. */
export async function benchWakeUp(redisUrl: string, url: string, db: Kysely<Schema>, pairs: number): Promise<void> {
  const times: Record<'postgres' | 'redis', number[]> = { postgres: [], redis: [] }
  const job = defineJob({ name: 'job', queue: 'wake', schema: unchecked<null>() })
  for (const name of ['postgres', 'redis'] as const) {
    const driver =
      name === 'postgres'
        ? postgresDriver({ connection: { connectionString: url, max: 4 } })
        : redisDriver({ connection: redisUrl })
    await using tasks = createTasks({ driver, database: kyselyDatabase(db) })
    await tasks.migrate()
    let started = Promise.withResolvers<number>()
    await using worker = tasks.worker([
      tasks.handle(job, () => started.resolve(performance.now()), { database: 'none' }),
    ])
    await worker.ready()
    for (let pair = 0; pair < pairs + 2; pair += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      started = Promise.withResolvers<number>()
      let committing = 0
      await tasks.transaction(async () => {
        await tasks.enqueue(job, null)
        committing = performance.now()
      })
      const took = (await started.promise) - committing
      if (pair > 1) times[name].push(took)
    }
    report(`idle worker, ${name} driver: commit to handler`, sorted(times[name]), { unit: ' ms' })
  }
  const ratios = sorted(times.postgres.map((took, pair) => took / times.redis[pair]!))
  report('idle worker, postgres driver: commit to handler', ratios, {
    goal: { atMost: 5 },
    peer: { ...peer('bullmq', import.meta.url), name: 'our redis driver, on bullmq' },
  })
}
