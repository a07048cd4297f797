import type { TestAPI } from 'vitest'

import { databasePool, type DatabasePool, type DatabasePoolOptions, type TestDatabase } from './database-pool.ts'

/** What {@link withDatabase} adds to a test's context. */
export interface DatabaseContext {
  /** The worker's pool. */
  readonly databases: DatabasePool
  /** A database of this test's own; dropped after it. Made only for tests that name it. */
  readonly database: TestDatabase
}

/**
 * Gives vitest tests a database each: one pool per worker, one clone per test. Needs vitest 4.1 or newer.
 *
 * @param base - vitest's `test`.
 * @param options - Called once in each worker.
 * @example
 * const test = withDatabase(base, () => ({ url: inject('postgresUrl'), migrate }))
 * test('stores an item', async ({ database }) => { … })
 */
export function withDatabase(
  base: TestAPI,
  options: () => DatabasePoolOptions | Promise<DatabasePoolOptions>,
): TestAPI<DatabaseContext> {
  const extended = base
    // oxlint-disable-next-line no-empty-pattern -- vitest reads the wanted fixtures out of this pattern
    .extend('databases', { scope: 'worker' }, async ({}, { onCleanup }) => {
      const pool = await databasePool(await options())
      onCleanup(() => pool[Symbol.asyncDispose]())
      return pool
    })
    .extend('database', async ({ databases }, { onCleanup }) => {
      const database = await databases.acquire()
      onCleanup(() => database[Symbol.asyncDispose]())
      return database
    })
  // vitest's own type carries the builder's marks, which nobody can write down by hand.
  return extended as unknown as TestAPI<DatabaseContext>
}
