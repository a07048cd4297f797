import { AsyncLocalStorage } from 'node:async_hooks'

import { runDetached } from '../context/scope.ts'
import type { Added, DeadLetter, Driver, DriverWorker, JobRecord, Outcome, Run } from '../drivers/driver.ts'
import { TaskError } from '../errors.ts'
import { Stop } from '../internal/stop.ts'
import type { Job } from '../jobs/define-job.ts'

/** Settings of {@link testDriver}. */
export interface TestDriverOptions {
  /**
   * `inline` runs each job before its `enqueue` returns, or right after the commit it waits for; `record` keeps them
   * until {@link TestDriver.run}. @default 'inline'
   */
  readonly mode?: 'inline' | 'record'
  /** How deep jobs may enqueue jobs inline. @default 10 */
  readonly maxDepth?: number
  /** Clock, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

/** What became of a job that was enqueued. */
export interface RecordedJob {
  readonly id: string
  readonly queue: string
  readonly name: string
  /** As it arrives: after a round trip through JSON. */
  readonly payload: unknown
  /** Context as it travels, short names. */
  readonly context: Readonly<Record<string, unknown>>
  readonly delayMs: number
  /** 1 for a job that no job enqueued. */
  readonly depth: number
  readonly state: 'waiting' | 'done' | 'failed'
  readonly attempts: number
  readonly value?: unknown
  readonly error?: Error
}

/** A driver for tests of code that enqueues. */
export interface TestDriver extends Driver {
  /** All jobs that were enqueued and not rolled back, in order. */
  readonly jobs: readonly RecordedJob[]
  /** Payloads of one kind of job. */
  readonly payloads: <Input, Payload>(job: Job<string, Input, Payload>) => Input[]
  /** Runs all that wait, delayed ones too, and what they enqueue; rejects with the first failure after all have run. */
  readonly run: () => Promise<void>
  /** Forgets all jobs. */
  readonly clear: () => void
}

type Entry = { -readonly [Key in keyof RecordedJob]: RecordedJob[Key] } & { readonly record: JobRecord }

/**
 * Makes a driver that runs jobs in place, with all that surrounds them in production: the commit they wait for, the
 * envelope, JSON, a scope and a database session of their own, retries (without their pauses).
 *
 * A job that fails makes its `enqueue` reject, unless it waited for a commit; then `onError` hears of it. Delayed jobs
 * wait for {@link TestDriver.run}, as do those that have no handler yet.
 */
export function testDriver(options: TestDriverOptions = {}): TestDriver {
  const { mode = 'inline', maxDepth = 10, now = Date.now } = options
  const entries: Entry[] = []
  const handlers = new Map<string, (run: Run) => Promise<Outcome>>()
  const depths = new AsyncLocalStorage<number>()

  async function add(records: readonly JobRecord[]): Promise<Added[]> {
    const added: Added[] = []
    for (const record of records) added.push(await addOne(record))
    return added
  }

  async function addOne(record: JobRecord): Promise<Added> {
    const { id, queue, name, options: given } = record
    const earlier = entries.find((entry) => sameJob(entry, record))
    if (earlier !== undefined && !isReplaced(earlier, record)) return { id: earlier.id, deduplicated: true }
    if (earlier !== undefined) entries.splice(entries.indexOf(earlier), 1)
    const depth = (depths.getStore() ?? 0) + 1
    if (depth > maxDepth) {
      throw new TaskError(
        'TASK_NESTING',
        `Expected jobs to nest at most ${maxDepth} deep, and job \`${name}\` goes deeper`,
      )
    }
    const data = JSON.parse(JSON.stringify(record.data)) as JobRecord['data']
    const delayMs = given.delayMs ?? 0
    const entry: Entry = {
      id,
      queue,
      name,
      delayMs,
      depth,
      state: 'waiting',
      attempts: 0,
      payload: data.p,
      context: data.c,
      record: { ...record, data },
    }
    entries.push(entry)
    if (mode === 'inline' && delayMs === 0 && handlers.has(queue)) await runOne(entry)
    return { id, deduplicated: false }
  }

  async function runOne(entry: Entry): Promise<void> {
    const { record } = entry
    const process = handlers.get(entry.queue)
    if (process === undefined) {
      throw new TaskError(
        'TASK_JOB_UNKNOWN',
        `Expected a worker for queue \`${entry.queue}\` to run job \`${entry.name}\``,
      )
    }
    for (;;) {
      entry.attempts += 1
      const run: Run = {
        id: entry.id,
        queue: entry.queue,
        name: entry.name,
        data: structuredClone(record.data),
        attempt: entry.attempts,
        maxAttempts: record.options.attempts,
        dueAt: now(),
        stop: new Stop(),
        owned: () => true,
        progress: () => Promise.resolve(),
      }
      // Out of the caller's storages, as in another process.
      const outcome = await runDetached(() => depths.run(entry.depth, () => process(run)))
      if (outcome.type === 'completed') {
        entry.state = 'done'
        entry.value = outcome.value
        return
      }
      if (outcome.type === 'postponed') return
      if (outcome.final || entry.attempts >= record.options.attempts) {
        entry.state = 'failed'
        entry.error = outcome.error
        throw outcome.error
      }
    }
  }

  return {
    name: 'test',
    enlist: 'buffer',
    jobs: entries,
    payloads: (job) =>
      entries
        .filter((entry) => entry.queue === job.queue && entry.name === job.name)
        .map((entry) => entry.payload as never),
    add,
    work(queue, process): DriverWorker {
      handlers.set(queue, process)
      return {
        ready: () => Promise.resolve(),
        cancel: () => false,
        close: () => Promise.resolve(void handlers.delete(queue)),
      }
    },
    async run() {
      let failure: { readonly error: unknown } | undefined
      for (const entry of entries) {
        // Also those that are added while we are at it.
        if (entry.state === 'waiting') await runOne(entry).catch((error: unknown) => (failure ??= { error }))
      }
      if (failure !== undefined) throw failure.error
    },
    clear: () => void entries.splice(0),
    schedule: () =>
      Promise.reject(new TaskError('TASK_UNSUPPORTED', 'Expected no schedule in a test: enqueue a tick instead')),
    unschedule: () => Promise.resolve(false),
    async deadLetters(queue, limit): Promise<DeadLetter[]> {
      return entries
        .filter((entry) => entry.state === 'failed' && entry.queue === queue)
        .slice(0, limit)
        .map(({ id, name, attempts, error }) => {
          return { id, queue, name, attempts, reason: error?.message ?? '', failedAt: now() }
        })
    },
    async redrive(queue, id) {
      const entry = entries.find((one) => one.id === id && one.queue === queue && one.state === 'failed')
      if (entry === undefined) return false
      entry.state = 'waiting'
      entry.attempts = 0
      if (mode === 'inline') await runOne(entry)
      return true
    },
    queue: () => undefined,
    async [Symbol.asyncDispose]() {
      handlers.clear()
    },
  }
}

/** As BullMQ does it: a job that is delayed, and neither runs nor has run. */
function isReplaced(earlier: Entry, { id, options }: JobRecord): boolean {
  return earlier.id !== id && earlier.delayMs > 0 && options.deduplication?.replace === true
}

function sameJob(entry: Entry, { id, options }: JobRecord): boolean {
  if (entry.id === id) return true
  const key = options.deduplication?.id
  return key !== undefined && entry.state === 'waiting' && entry.record.options.deduplication?.id === key
}
