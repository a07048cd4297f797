import { reasonOf } from '../errors.ts'

/** What is wrong with the database, in words for people, by the start of SQLite's code. */
const sqliteTroubles: readonly (readonly [string, string])[] = [
  ['SQLITE_BUSY', 'it is locked by another program'],
  ['SQLITE_LOCKED', 'it is locked by another program'],
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_READONLY', 'it cannot be written to'],
  ['SQLITE_CORRUPT', 'it is damaged'],
  ['SQLITE_NOTADB', 'it is damaged'],
  ['SQLITE_IOERR', 'the disk fails'],
  ['SQLITE_CANTOPEN', 'it cannot be opened'],
]

/** The code of an error, empty when it has none. */
export function errorCode(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** Why the database cannot be used, `undefined` when the error is another one. */
export function databaseTrouble(error: unknown): string | undefined {
  const code = errorCode(error)
  const known = sqliteTroubles.find(([start]) => code.startsWith(start))?.[1]
  if (known !== undefined) return known
  // Postgres: connection, resources, shutdown (appendix A of its manual); and what the socket says.
  if (/^(08|53|57P|58)/.test(code) || /^E(CONN|PIPE|TIMEDOUT|HOSTUNREACH)/.test(code)) return 'it does not answer'
  return /timeout exceeded when trying to connect|Connection terminated/.test(reasonOf(error))
    ? 'it does not answer'
    : undefined
}
