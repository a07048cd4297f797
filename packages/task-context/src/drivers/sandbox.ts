import type { SandboxedJob } from 'bullmq'

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
    const run = toRun(job, job.queueName, { signal: signal ?? new AbortController().signal, owned: () => true })
    return settle(job, token, await process(run))
  }
}
