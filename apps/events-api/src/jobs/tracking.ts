import { TaskError } from '@org/task-context'

import type { Database, Tx } from '../resources/resource.ts'
import type { Tracked } from './definitions.ts'

/** Writes the row that clients watch, in the transaction that enqueues the job. */
export async function createTask(tx: Tx, name: string, ownerId: number | undefined): Promise<number> {
  const row = await tx
    .insertInto('tasks')
    .values({ name, owner_id: ownerId ?? null })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row['id'] as number
}

/** Notes the result, in the job's own transaction: done is done together with its effect. */
async function finishTask(tx: Tx, taskId: number, result: string): Promise<void> {
  await tx
    .updateTable('tasks')
    .set({ state: 'done', result, error: null, finished_at: new Date() })
    .where('id', '=', taskId)
    .execute()
}

/**
 * Runs a tracked job; a failure that is the last one is noted, outside the transaction that it rolls back.
 *
 * @param work - Returns what the task made: an address or a few words.
 * @param giveUp - Notes the last failure where else it shows; in a transaction of its own.
 */
export async function track(
  db: Database,
  tx: Tx,
  payload: Tracked,
  job: { readonly attempt: number; readonly maxAttempts: number },
  work: () => Promise<string>,
  giveUp?: () => Promise<unknown>,
): Promise<void> {
  try {
    await finishTask(tx, payload.taskId, await work())
  } catch (error) {
    if (error instanceof JobError || job.attempt >= job.maxAttempts) {
      await db
        .updateTable('tasks')
        .set({ state: 'failed', error: wording(error), finished_at: new Date() })
        .where('id', '=', payload.taskId)
        .execute()
      await giveUp?.()
    }
    throw error
  }
}

/** Our own words may be shown; those of a driver may hold data. */
function wording(error: unknown): string {
  return error instanceof JobError ? error.message : 'Internal error'
}

/**
 * A job that cannot do its work, in words for the person who started it: what it is about is gone, or cannot be read.
 *
 * No further attempt cures that, so none is made: the job becomes a dead letter at once.
 */
export class JobError extends TaskError {
  constructor(message: string, options?: ErrorOptions) {
    super('TASK_UNRECOVERABLE', message, options)
  }
}
