import type { AnyQueue } from './bullmq-types.ts'

/** How long completed jobs are kept. */
export interface Retention {
  readonly ageSeconds: number
  readonly count: number
}

/** Between two sweeps, in milliseconds. */
const INTERVAL_MS = 30_000
/** Jobs per statement, so that none holds its locks for long. */
const BATCH = 5000

/**
 * Removes old completed jobs now and then.
 *
 * BullMQ's Postgres backend would do it with each completion, all workers the same rows: beyond `count` jobs they
 * deadlock, and the job whose completion lost runs a second time (seen with BullMQ 6.7.0 at concurrency 64).
 */
export function startSweeping(queue: AnyQueue, retention: Retention, onError: (error: unknown) => void): () => void {
  let sweeping = false
  const timer = setInterval(() => {
    if (sweeping) return
    sweeping = true
    sweep(queue, retention)
      .catch(onError)
      .finally(() => (sweeping = false))
  }, INTERVAL_MS)
  // Nobody's reason to keep a process alive.
  timer.unref()
  return () => clearInterval(timer)
}

/** One sweep: by age, then by number, the oldest first. */
export async function sweep(queue: AnyQueue, { ageSeconds, count }: Retention): Promise<void> {
  while ((await queue.clean(ageSeconds * 1000, BATCH, 'completed')).length === BATCH) continue
  const excess = (await queue.getCompletedCount()) - count
  for (let left = excess; left > 0; left -= BATCH) await queue.clean(0, Math.min(left, BATCH), 'completed')
}
