import { DelayedError, type Job, type SandboxedJob, UnrecoverableError, WaitingError } from 'bullmq'

import { TaskError } from '../errors.ts'
import { storable, storableValue } from '../internal/storable.ts'
import type { Outcome, Run } from './driver.ts'

/** What this package needs of a job, in the worker's process or in a child. */
type AnyJob = Pick<
  Job | SandboxedJob,
  | 'name'
  | 'data'
  | 'opts'
  | 'timestamp'
  | 'attemptsMade'
  | 'moveToWait'
  | 'moveToDelayed'
  | 'updateData'
  | 'updateProgress'
> & { readonly id?: string | undefined }

/** One attempt, as the runner takes it. */
export function toRun(job: AnyJob, queue: string, { stop, owned }: Pick<Run, 'stop' | 'owned'>): Run {
  return {
    stop,
    owned,
    id: job.id ?? '',
    queue,
    name: job.name,
    data: job.data,
    attempt: job.attemptsMade + 1,
    maxAttempts: job.opts.attempts ?? 1,
    dueAt: job.timestamp + (job.opts.delay ?? 0),
    progress: (value) => job.updateProgress(storableValue(value)),
  }
}

/** Tells BullMQ what became of a job, in the way it wants to hear each. */
export async function settle(job: AnyJob, token: string, outcome: Outcome): Promise<unknown> {
  switch (outcome.type) {
    case 'completed':
      return storableValue(outcome.value)
    case 'postponed':
      if (outcome.delayMs === 0) {
        await job.moveToWait(token)
        throw new WaitingError()
      }
      await job.moveToDelayed(Date.now() + outcome.delayMs, token)
      throw new DelayedError()
    case 'failed': {
      const { error, final } = outcome
      // Stored in a form that can be read, or the list of failed jobs could not be shown.
      if (error instanceof TaskError && error.code === 'TASK_POISON') await job.updateData(job.data)
      const code = error instanceof TaskError ? `${error.code}: ` : ''
      const message = storable(`${code}${error.message}`)
      const told = final ? new UnrecoverableError(message) : new Error(message, { cause: error })
      if (error.stack !== undefined) told.stack = storable(error.stack)
      throw told
    }
  }
}
