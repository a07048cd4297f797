import type { SandboxedJob } from 'bullmq'

import { toError } from '../errors.ts'
import { Stop } from '../internal/stop.ts'
import { settle, toRun } from './bullmq-run.ts'
import type { Outcome, Run } from './driver.ts'

/** What BullMQ calls in a child process or worker thread for each job. */
export type SandboxProcessor = (job: SandboxedJob, token?: string, signal?: AbortSignal) => Promise<unknown>

/**
 * Opens in a child what a worker opens in its own process: storages do not reach across, so a child starts from the
 * envelope. Who owns the lock is known in the parent only, so a lost one is not noticed before the commit; the ledger
 * sees to it that the effect still comes once.
 */
export function sandboxProcessor(process: (run: Run) => Promise<Outcome>): SandboxProcessor {
  // Three plain parameters: BullMQ counts them to find out who wants a signal.
  return async (job, token = '', signal) => {
    const stop = new Stop()
    const abort = () => stop.abort(toError(signal?.reason))
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
    return settle(job, token, await process(toRun(job, job.queueName, { stop, owned: () => true })))
  }
}
