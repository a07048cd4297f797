import { peer } from '@org/bench'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'

import { createTasks, defineJob, redisDriver, unchecked } from '../src/index.ts'
import { memoryDriver } from '../src/memory.ts'
import { defineSignal } from '../src/signals/index.ts'
import { report } from './support/paired.ts'

const PAYLOAD = { text: 'x'.repeat(188) }
/** Payloads of about 200 bytes, each a byte longer than the one before. */
const LENGTHS = 64
const CONTEXT = { requestId: 'r'.repeat(21), actor: 'user:1234567', tenant: 'acme' }

/** What jobs weigh. */
export async function benchMemory(redisUrl: string, jobs: number): Promise<void> {
  await redisBytes(redisUrl)
  await heapOfPending()
  await heapAfterJobs(redisUrl, jobs)
  heapAfterSubscriptions(jobs)
}

async function redisBytes(redisUrl: string): Promise<void> {
  const connection = { url: redisUrl, maxRetriesPerRequest: null }
  const redis = new Redis(redisUrl)
  const queue = new Queue('weigh-bare', { connection })
  await using tasks = createTasks({ driver: redisDriver({ connection }) })
  const job = defineJob({ name: 'job', queue: 'weigh-ours', schema: unchecked<typeof PAYLOAD>() })
  const small = defineJob({ name: 'job', queue: 'weigh-ours', schema: unchecked<{ n: number }>() })
  const retry = { attempts: 3, backoff: { type: 'exponential', delay: 1000 } }
  // All fields of the hash: by default, Redis weighs five of them and guesses the others.
  const weigh = async (key: string) => Number(await redis.call('memory', 'usage', key, 'samples', 0))
  let context = 0
  let above = 0
  // Redis rounds each text up to a size of its allocator, up to 64 bytes apart: one length alone would tell of that.
  for (let n = 0; n < LENGTHS; n += 1) {
    const payload = { text: 'x'.repeat(PAYLOAD.text.length - LENGTHS / 2 + n) }
    const bare = await queue.add('job', payload, retry)
    const { id } = await tasks.runInContext(CONTEXT, () => tasks.enqueue(job, payload))
    const ours = await tasks.queue(job)!.getJob(id)
    context = Buffer.byteLength(JSON.stringify((ours!.data as { c: object }).c))
    above += (await weigh(`bull:weigh-ours:${id}`)) - (await weigh(`bull:weigh-bare:${bare.id}`)) - context
  }
  report('default context, serialised', [context], { goal: { atMost: 256 }, unit: ' bytes' })
  report('pending job in Redis, above bare and context', [above / LENGTHS], { goal: { atMost: 64 }, unit: ' bytes' })
  // What bullmq-otel stores with each job that is added inside a span.
  const telemetry = { metadata: JSON.stringify({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }) }
  const traced = await queue.add('job', { n: 1 }, { ...retry, telemetry })
  const tiny = await tasks.runInContext(CONTEXT, () => tasks.enqueue(small, { n: 1 }))
  const ratio = (await weigh(`bull:weigh-ours:${tiny.id}`)) / (await weigh(`bull:weigh-bare:${traced.id}`))
  report('tiny pending job in Redis: bytes', [ratio], {
    goal: { atMost: 1.15 },
    peer: { ...peer('bullmq-otel', import.meta.url), name: 'a job with a trace of bullmq-otel' },
  })
  await queue.obliterate({ force: true })
  await tasks.queue(job)!.obliterate({ force: true })
  await queue.close()
  redis.disconnect()
}

async function heapOfPending(): Promise<void> {
  await using tasks = createTasks({ driver: memoryDriver() })
  const job = defineJob({ name: 'job', schema: unchecked<typeof PAYLOAD>() })
  const jobs = 10_000
  const before = heap()
  for (let n = 0; n < jobs; n += 1) await tasks.enqueue(job, { text: `${n}`.padEnd(188, 'x') }, { delayMs: 3_600_000 })
  const each = (heap() - before) / jobs - JSON.stringify(PAYLOAD).length
  report('memory driver: heap per pending job beyond its payload', [each], { goal: { atMost: 1024 }, unit: ' bytes' })
}

async function heapAfterJobs(redisUrl: string, jobs: number): Promise<void> {
  await using tasks = createTasks({ driver: redisDriver({ connection: redisUrl }) })
  const job = defineJob({ name: 'job', queue: 'heap', schema: unchecked<{ n: number }>() })
  let done = 0
  await using worker = tasks.worker([tasks.handle(job, () => void (done += 1))], { concurrency: 64 })
  await worker.ready()
  const runJobs = async (count: number) => {
    const until = done + count
    for (let n = 0; n < count; n += 1000) {
      await tasks.enqueueMany(
        job,
        Array.from({ length: Math.min(1000, count - n) }, () => ({ n })),
      )
      while (done < until - count + n) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    while (done < until) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await runJobs(5000)
  const before = heap()
  await runJobs(jobs)
  report(`heap after ${jobs.toLocaleString('en')} jobs: growth`, [(heap() - before) / 1e6], {
    goal: { atMost: 5 },
    unit: ' MB',
  })
  await worker.close()
  await tasks.queue(job)!.obliterate({ force: true })
}

function heapAfterSubscriptions(count: number): void {
  const signal = defineSignal<number>('bench')
  const subscribe = (count: number) => {
    for (let n = 0; n < count; n += 1) signal.connect(() => n)[Symbol.dispose]()
  }
  subscribe(1000)
  const before = heap()
  subscribe(count)
  report(`heap after ${count.toLocaleString('en')} subscriptions: growth`, [(heap() - before) / 1e6], {
    goal: { atMost: 1 },
    unit: ' MB',
  })
}

function heap(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
