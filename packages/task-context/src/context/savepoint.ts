import { actingIn, keepSavepoint, lastTurns, openTransaction, type TransactionScope } from './transaction.ts'

/** Runs `use` in a savepoint of an open transaction: kept when it resolves, undone when it rejects. */
export async function inSavepoint<T>(
  outer: TransactionScope,
  execute: (sql: string) => Promise<unknown>,
  use: (inner: TransactionScope) => Promise<T>,
): Promise<T> {
  const inner = openTransaction(outer.handle, outer)
  const name = `task_context_${inner.depth}`
  await execute(`savepoint ${name}`)
  try {
    const result = await use(inner)
    await lastTurns(inner)
    // Went with the one around it, where that was undone meanwhile.
    actingIn(outer)
    await execute(`release savepoint ${name}`)
    keepSavepoint(inner, outer)
    return result
  } catch (error) {
    inner.end = 'rolledBack'
    // What it left running has the same connection, and would go on in the transaction around.
    await lastTurns(inner).catch(() => {})
    if (isUndone(outer)) throw error
    // Where that fails nothing can be committed any more, and the first error tells why.
    await execute(`rollback to savepoint ${name}`).catch(() => {})
    throw error
  }
}

function isUndone(transaction: TransactionScope): boolean {
  try {
    actingIn(transaction)
    return false
  } catch {
    return true
  }
}
