import { type IQueueBackend, type Job as BullJob, type JobJson, type Telemetry, Worker } from 'bullmq'

import { TaskError, toError } from '../errors.ts'
import { closeInTime } from '../internal/in-time.ts'
import { Stop } from '../internal/stop.ts'
import { setLongTimeout } from '../internal/timers.ts'
import type { AnyQueue, BullBackend, BullOptions } from './bullmq-types.ts'
import { settle, toRun } from './bullmq-run.ts'
import type { DriverWorker, Outcome, Run, WorkOptions } from './driver.ts'
import { unreadable } from './poison.ts'
import { startSweeping } from './sweep.ts'

/** A job this process is busy with. */
interface Busy {
  readonly stop: Stop
  /** Until when the lock is surely ours, in milliseconds since the epoch. */
  lockedUntil: number
}

/** A worker that makes something of a job whose data is no JSON, where BullMQ would trip over it again and again. */
class TolerantWorker extends Worker<unknown, unknown, string, IQueueBackend, number | object, unknown> {
  protected override createJob(stored: JobJson, id: string) {
    try {
      return super.createJob(stored, id)
    } catch {
      return super.createJob({ ...stored, data: unreadable('data', stored.data) }, id)
    }
  }
}

const shutdown = () => new TaskError('TASK_SHUTDOWN', 'The worker is shutting down')

/** Runs the jobs of one queue with a BullMQ worker. */
export function bullWorker(parts: {
  readonly backend: BullBackend
  readonly options: BullOptions
  readonly telemetry: Telemetry | undefined
  readonly queue: string
  readonly producer: AnyQueue
  readonly process: (run: Run) => Promise<Outcome>
  readonly settings: WorkOptions
}): DriverWorker {
  const { backend, options, telemetry, settings, queue } = parts
  const { lockMs = 30_000, stalledCheckMs = 30_000, maxStalled = 10 } = options
  const { keepCompleted = { ageSeconds: 3600, count: 1000 } } = options
  const busy = new Map<string, Busy>()
  /** Handlers so far, and those at work; what only waits for the queue to hear of its end does not count. */
  let begun = 0
  let running = 0
  let onCalm = () => {}
  let out = false
  const onError = (error: unknown) => settings.onError(toError(error))

  /** Handlers may take the time they were given: only when none is at work is it the server that is waited for. */
  const calm = async (): Promise<number> => {
    while (running > 0) await new Promise<void>((resolve) => (onCalm = resolve))
    return begun
  }

  const run = async (job: BullJob, token: string): Promise<unknown> => {
    const id = job.id ?? ''
    const mine: Busy = { stop: new Stop(), lockedUntil: Date.now() + lockMs }
    busy.set(id, mine)
    begun += 1
    running += 1
    // Was on its way from the queue when the worker was told to stop, and came when the others had been.
    if (out) mine.stop.abort(shutdown())
    try {
      const outcome = await parts.process(
        toRun(job, queue, { stop: mine.stop, owned: () => Date.now() < mine.lockedUntil }),
      )
      running -= 1
      if (running === 0) onCalm()
      // Most return nothing, and each await of something that is there costs a turn.
      return outcome.type === 'completed' && outcome.value === undefined ? undefined : await settle(job, token, outcome)
    } finally {
      if (busy.get(id) === mine) busy.delete(id)
    }
  }

  const worker = new TolerantWorker(
    queue,
    run as never,
    {
      connection: backend.connection,
      concurrency: settings.concurrency,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: maxStalled,
      ...(backend.sweeps !== true && {
        removeOnComplete: { age: keepCompleted.ageSeconds, count: keepCompleted.count },
      }),
      // After a lost connection; BullMQ's 15 s would leave a worker idle long after its server is back.
      runRetryDelay: 1000,
      ...(backend.prefix !== undefined && { prefix: backend.prefix }),
      ...(telemetry !== undefined && { telemetry }),
      ...(settings.limiter && { limiter: { max: settings.limiter.max, duration: settings.limiter.durationMs } }),
    },
    backend.factory,
  )
  const stopSweeping = backend.sweeps === true ? startSweeping(parts.producer, keepCompleted, onError) : undefined
  worker.on('error', onError)
  worker.on('lockRenewalFailed', (ids: string[]) => {
    for (const id of ids) abort(id, new TaskError('TASK_LOCK_LOST', `The lock of job \`${id}\` could not be renewed`))
  })
  worker.on('locksRenewed', ({ jobIds }: { jobIds: string[] }) => {
    for (const id of jobIds) {
      const mine = busy.get(id)
      if (mine !== undefined) mine.lockedUntil = Date.now() + lockMs
    }
  })

  const abort = (id: string, reason: Error): boolean => {
    const mine = busy.get(id)
    mine?.stop.abort(reason)
    return mine !== undefined
  }

  return {
    async ready() {
      await worker.waitUntilReady()
    },
    cancel: abort,
    async close() {
      const closed = worker.close()
      const timer = setLongTimeout(() => {
        out = true
        for (const id of busy.keys()) abort(id, shutdown())
      }, settings.drainMs)
      await closeInTime(closed, () => backend.cut?.(worker.backend), calm)
      clearTimeout(timer)
      stopSweeping?.()
    },
  }
}
