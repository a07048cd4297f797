import { TaskError } from '../errors.ts'
import { settlesWithin } from '../internal/in-time.ts'

/** What waits for a commit. Runs at most once; an error is reported, as the commit cannot be taken back. */
export type AfterCommit = () => void | Promise<void>

/** A transaction, or a savepoint in one, and what is to happen once the outermost commits. */
export interface TransactionScope {
  /** The handle that SQL runs on. */
  readonly handle: unknown
  /** 0 for a transaction, 1 and more for savepoints. */
  readonly depth: number
  readonly waiting: AfterCommit[]
  /** The one around a savepoint. */
  readonly outer: TransactionScope | undefined
  /** Set when its code has ended, and to `rolledBack` as long as a commit is not known to have happened. */
  end: 'committed' | 'rolledBack' | undefined
  /** Settles when the last of those that stand in line has had its turn; `undefined` when nobody does. */
  line: Promise<void> | undefined
}

/** How long the end of a transaction waits for those that nobody else has waited for. */
const LAST_TURNS_MS = 1000

/** Opens the scope of a transaction, or of a savepoint inside `outer`. */
export function openTransaction(handle: unknown, outer?: TransactionScope): TransactionScope {
  return {
    handle,
    depth: outer === undefined ? 0 : outer.depth + 1,
    waiting: [],
    outer,
    end: undefined,
    line: undefined,
  }
}

/**
 * Where a transaction that has ended well leaves what it left running: in the enclosing one, or in none.
 */
export function openAround(transaction: TransactionScope | undefined): TransactionScope | undefined {
  let open = transaction
  while (open?.end === 'committed') open = open.outer
  return open
}

/**
 * The transaction that code of `transaction` acts in by now.
 *
 * @throws {@link TaskError} `TASK_CLOSED` in what a rolled back one left running: it would act in the name of what never
 * happened.
 */
export function actingIn(transaction: TransactionScope | undefined): TransactionScope | undefined {
  if (transaction === undefined) return undefined
  for (let one: TransactionScope | undefined = transaction; one !== undefined; one = one.outer) {
    if (one.end === 'rolledBack') {
      throw new TaskError(
        'TASK_CLOSED',
        'Expected an open transaction: this was left running by one that did not commit',
      )
    }
  }
  return openAround(transaction)
}

/**
 * Runs savepoints, and enqueues beside them, one after the other. A connection knows one innermost savepoint: what
 * another branch does while it is open would be rolled back with it, or would release it.
 */
export async function inTurn<T>(scope: TransactionScope, use: () => Promise<T>): Promise<T> {
  const before = scope.line
  const { promise, resolve } = Promise.withResolvers<void>()
  scope.line = promise
  try {
    if (before !== undefined) await before
    return await use()
  } finally {
    if (scope.line === promise) scope.line = undefined
    resolve()
  }
}

/**
 * Waits for those still in line when the code of a transaction is done.
 *
 * @throws {@link TaskError} `TASK_CLOSED` when one does not end: half of it would be committed.
 */
export async function lastTurns(scope: TransactionScope): Promise<void> {
  while (scope.line !== undefined) {
    if (await settlesWithin(scope.line, LAST_TURNS_MS)) continue
    throw new TaskError('TASK_CLOSED', 'Expected all savepoints of a transaction to end before it: await each of them')
  }
}

/** A savepoint that is kept hands its waiting list to the enclosing one; a rolled back one is forgotten with it. */
export function keepSavepoint(inner: TransactionScope, outer: TransactionScope): void {
  inner.end = 'committed'
  outer.waiting.push(...inner.waiting)
}

/** Runs what waited, in order; each runs even if one before it failed. */
export async function flush(scope: TransactionScope, onError: (error: unknown) => void): Promise<void> {
  for (const callback of scope.waiting.splice(0)) {
    try {
      await callback()
    } catch (error) {
      onError(error)
    }
  }
}
