import { replaceDb } from './make-context.ts'
import { currentScope, currentTransaction, runInScope, type Scope } from './scope.ts'
import type { AfterCommit } from './transaction.ts'

/**
 * Runs `callback` once the outermost transaction around the caller has committed; drops it on rollback.
 *
 * Without a transaction it runs now. It runs in the caller's context, without the transaction's handle. A crash right
 * after the commit loses it: for what must not be lost, enqueue a job.
 *
 * @throws `TASK_CLOSED` in what a rolled back transaction left running.
 */
export async function afterCommit(callback: AfterCommit): Promise<void> {
  const transaction = currentTransaction()
  const scope = currentScope()
  if (transaction === undefined || scope === undefined) return callback()
  const outside = leaveTransaction(scope)
  transaction.waiting.push(() => runInScope(outside, callback))
}

/** The same scope without its transaction, whose handle is of no use once it has ended. */
export function leaveTransaction(scope: Scope): Scope {
  const { context, life } = scope
  if (context === undefined) return { context, life }
  return { life, context: replaceDb(context, undefined) }
}
