import { type Job as BullJob, type JobsOptions, Queue, type Telemetry } from 'bullmq'

import { runDetached } from '../context/scope.ts'
import { closeInTime } from '../internal/in-time.ts'
import type { AnyQueue, BullBackend, BullOptions } from './bullmq-types.ts'
import { bullWorker } from './bullmq-worker.ts'
import type { Added, DeadLetter, Driver, JobRecord } from './driver.ts'
import { guardTelemetry } from './telemetry.ts'
import { repeatOf } from './timing.ts'

/** The driver that BullMQ's backends share; they differ in how a transaction is joined. */
export function bullDriver(
  backend: BullBackend,
  options: BullOptions,
  enlist: Pick<Driver, 'enlist' | 'addWithin'>,
  onDispose: () => Promise<void> = () => Promise.resolve(),
): Driver {
  const telemetry = options.telemetry && guardTelemetry(options.telemetry)
  const queues = new Map<string, AnyQueue>()

  function queueOf(name: string): AnyQueue {
    let queue = queues.get(name)
    if (queue === undefined) {
      queue = runDetached(() => openQueue(backend, name, telemetry))
      queues.set(name, queue)
    }
    return queue
  }

  const markOf: ReadMark = async (name, id) => {
    const stored = await queueOf(name).getJob(id)
    return stored && { mark: (stored.data as { readonly k?: unknown }).k }
  }

  return {
    name: backend.name,
    ...enlist,
    add: (records) => addRecords(queueOf, records, markOf),
    work: (queue, process, settings) =>
      bullWorker({ backend, options, telemetry, queue, producer: queueOf(queue), process, settings }),
    async schedule(id, timing, template) {
      const { name, data, options: given } = template
      await queueOf(template.queue).upsertJobScheduler(id, repeatOf(timing), {
        name,
        data,
        opts: {
          attempts: given.attempts,
          backoff: backoffOf(given),
          ...(given.priority !== undefined && { priority: given.priority }),
          // Else every tick, for ever, would belong to the trace of the request that set the schedule up.
          telemetry: { omitContext: true },
        },
      })
    },
    unschedule: (queue, id) => queueOf(queue).removeJobScheduler(id),
    async deadLetters(queue, limit) {
      const jobs = await queueOf(queue).getFailed(0, limit - 1)
      return jobs.map((job) => deadLetter(queue, job as BullJob))
    },
    async redrive(queue, id) {
      const job = await queueOf(queue).getJob(id)
      if (job === undefined || !(await job.isFailed())) return false
      await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
      return true
    },
    queue: (name) => queueOf(name) as unknown as Queue,
    ...(telemetry !== undefined && {
      captureTelemetry: () => telemetry.contextManager.getMetadata(telemetry.contextManager.active()),
    }),
    async [Symbol.asyncDispose]() {
      await Promise.all(
        [...queues.values()].map((queue) => closeInTime(queue.close(), () => backend.cut?.(queue.backend))),
      )
      await onDispose()
    },
  }
}

/** Opens a producer's queue. Errors of its connection reach the caller of each operation; nobody else listens. */
export function openQueue(backend: BullBackend, name: string, telemetry: Telemetry | undefined): AnyQueue {
  const { connection, factory, prefix } = backend
  const queue: AnyQueue = new Queue(
    name,
    {
      connection,
      // Else each new queue object writes one shared row, and a transaction that added a job would wait for another.
      skipMetasUpdate: true,
      ...(prefix !== undefined && { prefix }),
      ...(telemetry !== undefined && { telemetry }),
    },
    factory,
  )
  queue.on('error', () => {})
  return queue
}

/** Reads what marks the first enqueue of a stored job; `undefined` when there is no such job. */
export type ReadMark = (queue: string, id: string) => Promise<{ readonly mark: unknown } | undefined>

/** Adds records in one call per queue, and finds out which of them were there before. */
export async function addRecords(
  queueOf: (name: string) => AnyQueue,
  records: readonly JobRecord[],
  readMark: ReadMark,
): Promise<Added[]> {
  const [first] = records
  // `add` would replace a trace that the record carries; `addBulk` keeps it.
  if (first !== undefined && records.length === 1 && first.options.telemetry === undefined) {
    const queue = queueOf(first.queue)
    const job = await queue.add(first.name, first.data, jobOptions(first))
    const id = job.id ?? first.id
    return [first.data.k === undefined ? plain(first, id) : await compare(readMark, first, id)]
  }
  const added = new Map<JobRecord, Added>()
  for (const [name, group] of Map.groupBy(records, (record) => record.queue)) {
    const jobs = await queueOf(name).addBulk(
      group.map((record) => ({ name: record.name, data: record.data, opts: jobOptions(record) })),
    )
    await Promise.all(
      group.map(async (record, index) => {
        const id = jobs[index]?.id ?? record.id
        added.set(record, record.data.k === undefined ? plain(record, id) : await compare(readMark, record, id))
      }),
    )
  }
  return records.map((record) => added.get(record)!)
}

/** Where we made the id, a job under another one is an earlier job that stands for this one. */
const plain = (record: JobRecord, id: string): Added => ({ id, deduplicated: id !== record.id })

/**
 * Tells a first enqueue from a repeated one. BullMQ returns the first job's id with the second's data, so where the
 * caller chose the id only what is stored can tell.
 */
async function compare(readMark: ReadMark, record: JobRecord, id: string): Promise<Added> {
  if (id !== record.id) return plain(record, id)
  const stored = await readMark(record.queue, id)
  return { id, deduplicated: stored !== undefined && stored.mark !== record.data.k }
}

/** Our options in BullMQ's words. */
function jobOptions({ id, options }: JobRecord): JobsOptions {
  const { attempts, delayMs, priority, lifo, deduplication, telemetry } = options
  const theirs: JobsOptions = { jobId: id, attempts, backoff: backoffOf(options) }
  if (delayMs !== undefined) theirs.delay = delayMs
  if (priority !== undefined) theirs.priority = priority
  if (lifo !== undefined) theirs.lifo = lifo
  if (telemetry !== undefined) theirs.telemetry = { metadata: telemetry }
  if (deduplication !== undefined) {
    const { ttlMs, extend, replace } = deduplication
    theirs.deduplication = {
      id: deduplication.id,
      ...(ttlMs !== undefined && { ttl: ttlMs }),
      ...(extend !== undefined && { extend }),
      ...(replace !== undefined && { replace }),
    }
  }
  return theirs
}

function backoffOf({ backoff }: JobRecord['options']) {
  const { type, delayMs, jitter } = backoff
  return { type, delay: delayMs, ...(jitter !== undefined && { jitter }) }
}

function deadLetter(queue: string, job: BullJob): DeadLetter {
  return {
    id: job.id ?? '',
    queue,
    name: job.name,
    reason: job.failedReason,
    attempts: job.attemptsMade,
    failedAt: job.finishedOn ?? 0,
  }
}
