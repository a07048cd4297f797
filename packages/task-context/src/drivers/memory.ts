import { TaskError } from '../errors.ts'
import { randomId } from '../internal/ids.ts'
import type { Backoff } from '../jobs/define-job.ts'
import type { Added, DeadLetter, Driver, DriverWorker, JobRecord, Outcome, Run, WorkOptions } from './driver.ts'

/** Settings of {@link memoryDriver}. */
export interface MemoryDriverOptions {
  /** Start even where `NODE_ENV` is `production`, knowing that jobs die with the process. @default false */
  readonly allowInProduction?: boolean
  /** Clock, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

interface Waiting {
  readonly record: JobRecord
  /** Envelope as text: what one run changes in its copy, the next does not see. */
  readonly text: string
  readonly sequence: number
  readonly enqueuedAt: number
  dueAt: number
  attempt: number
}

interface QueueState {
  readonly waiting: Waiting[]
  readonly active: Map<string, Waiting>
  readonly dead: Map<string, { readonly job: Waiting; readonly letter: DeadLetter }>
  readonly done: Set<string>
  readonly deduplicated: Map<string, { readonly id: string; readonly until: number }>
  readonly consumers: Set<() => void>
}

/** Finished ids that are remembered, so that a repeated enqueue is recognised; as many as BullMQ keeps by default. */
const REMEMBERED = 1000

/**
 * Jobs in this process: for tests and for demos without a server. They are lost when the process ends.
 *
 * @throws {@link TaskError} `TASK_PRODUCTION` where `NODE_ENV` is `production`.
 */
export function memoryDriver(options: MemoryDriverOptions = {}): Driver {
  const { allowInProduction = false, now = Date.now } = options
  if (process.env['NODE_ENV'] === 'production' && !allowInProduction) {
    throw new TaskError(
      'TASK_PRODUCTION',
      'Expected a driver that keeps jobs in production; memory loses them with the process',
    )
  }
  const queues = new Map<string, QueueState>()
  const schedules = new Map<string, NodeJS.Timeout>()
  let sequence = 0

  function state(name: string): QueueState {
    let queue = queues.get(name)
    if (queue === undefined) {
      queue = {
        waiting: [],
        active: new Map(),
        dead: new Map(),
        done: new Set(),
        deduplicated: new Map(),
        consumers: new Set(),
      }
      queues.set(name, queue)
    }
    return queue
  }

  function addOne(record: JobRecord): Added {
    const queue = state(record.queue)
    const { deduplication, delayMs = 0 } = record.options
    const known = (id: string) =>
      queue.done.has(id) ||
      queue.dead.has(id) ||
      queue.active.has(id) ||
      queue.waiting.some((job) => job.record.id === id)
    if (known(record.id)) return { id: record.id, deduplicated: true }
    if (deduplication !== undefined) {
      const earlier = queue.deduplicated.get(deduplication.id)
      if (earlier !== undefined && earlier.until > now()) return { id: earlier.id, deduplicated: true }
      const until = deduplication.ttlMs === undefined ? Infinity : now() + deduplication.ttlMs
      queue.deduplicated.set(deduplication.id, { id: record.id, until })
    }
    sequence += 1
    queue.waiting.push({
      record,
      text: JSON.stringify(record.data),
      sequence: record.options.lifo === true ? -sequence : sequence,
      enqueuedAt: now(),
      dueAt: now() + delayMs,
      attempt: 1,
    })
    for (const wake of queue.consumers) wake()
    return { id: record.id, deduplicated: false }
  }

  return {
    name: 'memory',
    enlist: 'buffer',
    add: async (records) => records.map(addOne),
    work: (name, process, settings) => consume(state(name), process, settings, now),
    async schedule(id, { everyMs, pattern }, template) {
      if (everyMs === undefined || pattern !== undefined) {
        throw new TaskError('TASK_UNSUPPORTED', 'Expected `everyMs`: the memory driver knows no cron patterns')
      }
      const key = `${template.queue}:${id}`
      clearInterval(schedules.get(key))
      const tick = () => void addOne({ ...template, id: `repeat-${id}-${randomId()}` })
      schedules.set(key, setInterval(tick, everyMs))
      tick()
    },
    async unschedule(queue, id) {
      const timer = schedules.get(`${queue}:${id}`)
      clearInterval(timer)
      return schedules.delete(`${queue}:${id}`)
    },
    async deadLetters(name, limit) {
      return [...state(name).dead.values()]
        .map(({ letter }) => letter)
        .reverse()
        .slice(0, limit)
    },
    async redrive(name, id) {
      const queue = state(name)
      const found = queue.dead.get(id)
      if (found === undefined) return false
      queue.dead.delete(id)
      queue.waiting.push({ ...found.job, attempt: 1, dueAt: now() })
      for (const wake of queue.consumers) wake()
      return true
    },
    queue: () => undefined,
    async [Symbol.asyncDispose]() {
      for (const timer of schedules.values()) clearInterval(timer)
      queues.clear()
    },
  }
}

function consume(
  queue: QueueState,
  process: (run: Run) => Promise<Outcome>,
  settings: WorkOptions,
  now: () => number,
): DriverWorker {
  const busy = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>()
  let timer: NodeJS.Timeout | undefined
  let closing = false

  function pump(): void {
    clearTimeout(timer)
    while (!closing && busy.size < settings.concurrency) {
      const job = takeDue(queue, now())
      if (job === undefined) break
      const controller = new AbortController()
      queue.active.set(job.record.id, job)
      const done = work(job, controller.signal).finally(() => {
        busy.delete(job.record.id)
        pump()
      })
      busy.set(job.record.id, { controller, done })
    }
    const next = Math.min(...queue.waiting.map((job) => job.dueAt))
    if (!closing && busy.size < settings.concurrency && next < Infinity) {
      timer = setTimeout(pump, Math.max(1, Math.min(next - now(), 2 ** 31 - 1)))
    }
  }

  async function work(job: Waiting, signal: AbortSignal): Promise<void> {
    const { record } = job
    const outcome = await process({
      id: record.id,
      queue: record.queue,
      name: record.name,
      data: JSON.parse(job.text) as unknown,
      attempt: job.attempt,
      maxAttempts: record.options.attempts,
      enqueuedAt: job.enqueuedAt,
      signal,
      owned: () => true,
      progress: () => Promise.resolve(),
    })
    queue.active.delete(record.id)
    if (outcome.type === 'postponed') {
      queue.waiting.push({ ...job, dueAt: now() + outcome.delayMs })
    } else if (outcome.type === 'failed' && !outcome.final && job.attempt < record.options.attempts) {
      queue.waiting.push({
        ...job,
        attempt: job.attempt + 1,
        dueAt: now() + pause(record.options.backoff, job.attempt),
      })
    } else {
      finish(queue, job, outcome, now())
    }
  }

  queue.consumers.add(pump)
  pump()
  return {
    ready: () => Promise.resolve(),
    cancel(id, reason) {
      const found = busy.get(id)
      found?.controller.abort(reason)
      return found !== undefined
    },
    async close() {
      closing = true
      queue.consumers.delete(pump)
      clearTimeout(timer)
      const drain = setTimeout(() => {
        const reason = new TaskError('TASK_SHUTDOWN', 'The worker is shutting down')
        for (const { controller } of busy.values()) controller.abort(reason)
      }, settings.drainMs)
      await Promise.all([...busy.values()].map(({ done }) => done))
      clearTimeout(drain)
    },
  }
}

/** Next job that is due: without priority first, then by priority, then by age. */
function takeDue(queue: QueueState, at: number): Waiting | undefined {
  let best = -1
  for (const [index, job] of queue.waiting.entries()) {
    const rival = queue.waiting[best]
    if (job.dueAt <= at && (rival === undefined || before(job, rival))) best = index
  }
  return best === -1 ? undefined : queue.waiting.splice(best, 1)[0]
}

function before(a: Waiting, b: Waiting): boolean {
  const byPriority = (a.record.options.priority ?? 0) - (b.record.options.priority ?? 0)
  return byPriority === 0 ? a.sequence < b.sequence : byPriority < 0
}

function finish(queue: QueueState, job: Waiting, outcome: Outcome, at: number): void {
  const { record } = job
  const { deduplication } = record.options
  if (deduplication?.ttlMs === undefined && deduplication !== undefined) queue.deduplicated.delete(deduplication.id)
  if (outcome.type !== 'failed') {
    queue.done.add(record.id)
    for (const oldest of queue.done) {
      if (queue.done.size <= REMEMBERED) break
      queue.done.delete(oldest)
    }
    return
  }
  const { error } = outcome
  const reason = error instanceof TaskError ? `${error.code}: ${error.message}` : error.message
  const { id, queue: name } = record
  const letter = { id, queue: name, name: record.name, reason, attempts: job.attempt, failedAt: at }
  queue.dead.set(id, { job, letter })
}

function pause({ type, delayMs, jitter = 0 }: Backoff, attempt: number): number {
  const full = type === 'exponential' ? delayMs * 2 ** (attempt - 1) : delayMs
  return full * (1 - jitter + jitter * Math.random())
}
