import { runDetached } from '../context/scope.ts'
import { TaskError } from '../errors.ts'
import { randomId } from '../internal/ids.ts'
import { Stop } from '../internal/stop.ts'
import { LONGEST_TIMER_MS, setLongTimeout } from '../internal/timers.ts'
import type { Driver, DriverWorker, JobRecord, Outcome, Run, WorkOptions } from './driver.ts'
import { type MemoryJob, MemoryQueue } from './memory-queue.ts'
import { nextDue, type Repeat, repeatOf } from './timing.ts'

/** Settings of {@link memoryDriver}. */
export interface MemoryDriverOptions {
  /** Start even where `NODE_ENV` is `production`, knowing that jobs die with the process. @default false */
  readonly allowInProduction?: boolean
  /** Clock, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

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
  const queues = new Map<string, MemoryQueue>()
  const schedules = new Map<string, NodeJS.Timeout>()

  function queueOf(name: string): MemoryQueue {
    let queue = queues.get(name)
    if (queue === undefined) queues.set(name, (queue = new MemoryQueue(now)))
    return queue
  }

  /** Adds a job at `due` and at each time after it. */
  function repeatFrom(due: number, repeat: Repeat, template: JobRecord, scheduleId: string, last = ''): void {
    const key = scheduleKey(template.queue, scheduleId)
    const timer = setTimeout(
      () => {
        // Timers fire a little early now and then, and cannot reach further than some weeks.
        if (now() < due) return repeatFrom(due, repeat, template, scheduleId, last)
        const queue = queueOf(template.queue)
        // As long as nobody takes one, no others come to wait behind it.
        const id = queue.isWaiting(last) ? last : `repeat-${scheduleId}-${randomId()}`
        if (id !== last) queue.add({ ...template, id })
        // Ticks that a sleeping machine has missed are not made up for.
        repeatFrom(nextDue(repeat, Math.max(due, now())), repeat, template, scheduleId, id)
      },
      timerMs(due - now()),
    )
    schedules.set(key, timer)
  }

  return {
    name: 'memory',
    enlist: 'buffer',
    add: async (records) => records.map((record) => queueOf(record.queue).add(record)),
    work: (name, process, settings) => consume(queueOf(name), process, settings, now),
    async schedule(id, timing, template) {
      const repeat = repeatOf(timing)
      clearTimeout(schedules.get(scheduleKey(template.queue, id)))
      // As BullMQ does it: an interval begins with a tick, a pattern waits for its first time.
      repeatFrom('every' in repeat ? now() : nextDue(repeat, now()), repeat, template, id)
    },
    async unschedule(queue, id) {
      const key = scheduleKey(queue, id)
      clearTimeout(schedules.get(key))
      return schedules.delete(key)
    },
    deadLetters: async (name, limit) => queueOf(name).deadLetters(limit),
    redrive: async (name, id) => queueOf(name).redrive(id),
    queue: () => undefined,
    async [Symbol.asyncDispose]() {
      for (const timer of schedules.values()) clearTimeout(timer)
      schedules.clear()
      queues.clear()
    },
  }
}

const scheduleKey = (queue: string, id: string) => `${queue}:${id}`
const timerMs = (wait: number) => Math.max(1, Math.min(wait, LONGEST_TIMER_MS))

function consume(
  queue: MemoryQueue,
  process: (run: Run) => Promise<Outcome>,
  settings: WorkOptions,
  now: () => number,
): DriverWorker {
  const busy = new Map<string, { readonly stop: Stop; readonly done: Promise<void> }>()
  let timer: NodeJS.Timeout | undefined
  let closing = false

  function pump(): void {
    clearTimeout(timer)
    while (!closing && busy.size < settings.concurrency) {
      const job = queue.take(settings.limiter)
      if (job === undefined) break
      const { id } = job.record
      const stop = new Stop()
      const done = work(job, stop).finally(() => {
        busy.delete(id)
        pump()
      })
      busy.set(id, { stop, done })
    }
    const next = queue.nextDue(settings.limiter)
    if (!closing && busy.size < settings.concurrency && next !== undefined) {
      timer = setTimeout(pump, timerMs(next - now()))
    }
  }

  async function work(job: MemoryJob, stop: Stop): Promise<void> {
    const { record } = job
    const run: Run = {
      id: record.id,
      queue: record.queue,
      name: record.name,
      data: JSON.parse(job.text) as unknown,
      attempt: job.attempt,
      maxAttempts: record.options.attempts,
      dueAt: job.firstDueAt,
      stop,
      owned: () => true,
      progress: () => Promise.resolve(),
    }
    // Out of the storages of whoever enqueued it, as in another process.
    queue.settle(job, await runDetached(() => process(run)))
  }

  const unwatch = queue.watch(pump)
  pump()
  return {
    ready: () => Promise.resolve(),
    cancel(id, reason) {
      const found = busy.get(id)
      found?.stop.abort(reason)
      return found !== undefined
    },
    async close() {
      closing = true
      unwatch()
      clearTimeout(timer)
      const drain = setLongTimeout(() => {
        const reason = new TaskError('TASK_SHUTDOWN', 'The worker is shutting down')
        for (const { stop } of busy.values()) stop.abort(reason)
      }, settings.drainMs)
      await Promise.all([...busy.values()].map(({ done }) => done))
      clearTimeout(drain)
    },
  }
}
