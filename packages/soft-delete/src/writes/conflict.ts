import { SoftDeleteError } from '../errors.ts'

/** What drivers call a violated unique key: pg, PGlite and postgres.js; better-sqlite3; mysql2. */
const UNIQUE_VIOLATIONS: ReadonlySet<unknown> = new Set([
  '23505',
  'SQLITE_CONSTRAINT_UNIQUE',
  'SQLITE_CONSTRAINT_PRIMARYKEY',
  'ER_DUP_ENTRY',
])

/** Whether an error of the driver says that a unique key was violated. */
function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNIQUE_VIOLATIONS.has(error.code)
}

/** Names a unique violation for what it is here: a live row has the place. */
export async function mapConflict<T>(table: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new SoftDeleteError('SOFT_DELETE_CONFLICT', `A live row of "${table}" has taken a unique value of this one`, {
      cause: error,
    })
  }
}
