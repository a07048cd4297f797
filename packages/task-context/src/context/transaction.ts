/** What waits for a commit. Runs at most once; an error is reported, as the commit cannot be taken back. */
export type AfterCommit = () => void | Promise<void>

/** A transaction, or a savepoint in one, and what is to happen once the outermost commits. */
export interface TransactionScope {
  /** The handle that SQL runs on. */
  readonly handle: unknown
  /** 0 for a transaction, 1 and more for savepoints. */
  readonly depth: number
  readonly waiting: AfterCommit[]
}

/** Opens the scope of a transaction, or of a savepoint inside `outer`. */
export function openTransaction(handle: unknown, outer?: TransactionScope): TransactionScope {
  return { handle, depth: outer === undefined ? 0 : outer.depth + 1, waiting: [] }
}

/** A savepoint that is kept hands its waiting list to the enclosing one; a rolled back one is forgotten with it. */
export function keepSavepoint(inner: TransactionScope, outer: TransactionScope): void {
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
