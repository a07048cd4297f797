import type { Query } from '../drivers/driver.ts'
import { storableJson } from '../internal/storable.ts'

/** What the ledger says when a job asks to begin. */
export type Entry = { readonly done: false } | { readonly done: true; readonly result: unknown }

/**
 * Enters a job into the ledger, inside the job's own transaction.
 *
 * A second run of the same job waits here for the first one's commit, then learns that there is nothing left to do.
 * After the first one's rollback it goes on.
 */
export async function enter(query: Query, queue: string, jobId: string): Promise<Entry> {
  const inserted = await query(
    'insert into task_ledger (queue, job_id) values ($1, $2) on conflict do nothing returning true as inserted',
    [queue, jobId],
  )
  if (inserted.length > 0) return { done: false }
  const [row] = await query('select result from task_ledger where queue = $1 and job_id = $2', [queue, jobId])
  return { done: true, result: row?.['result'] ?? undefined }
}

/** Keeps what the job returned, for a run that is repeated only because its completion got lost. */
export async function record(query: Query, queue: string, jobId: string, result: unknown): Promise<void> {
  if (result === undefined) return
  const text = JSON.stringify(result) as string | undefined
  if (text === undefined) return
  await query('update task_ledger set result = $3::jsonb where queue = $1 and job_id = $2', [
    queue,
    jobId,
    storableJson(text),
  ])
}

/** Forgets entries older than `olderThanMs`; returns how many. */
export async function prune(query: Query, olderThanMs: number): Promise<number> {
  const rows = await query(
    `with gone as (
       delete from task_ledger where done_at < now() - make_interval(secs => $1::float8 / 1000) returning 1
     ) select count(*)::int as count from gone`,
    [olderThanMs],
  )
  return Number(rows[0]?.['count'] ?? 0)
}
