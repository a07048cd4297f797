import { type Kysely, sql } from 'kysely'

import { NativeAuthError } from '../../errors.ts'
import type { ImportEntry, UnreadableEntry } from './entry.ts'

/** Rows read at a time, so that a large table does not fill the memory. */
const BATCH = 500

/**
 * Reads the accounts of JupyterHub's NativeAuthenticator from its table `users_info`, on SQLite or Postgres.
 *
 * Lines are the numbers of the rows. Nothing is written.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_IMPORT_FAILED` when there is no such table.
 * @see https://github.com/jupyterhub/nativeauthenticator/blob/main/nativeauthenticator/orm.py
 */
export async function* readNativeAuthenticator<DB>(
  source: Kysely<DB>,
): AsyncGenerator<ImportEntry | UnreadableEntry, void, undefined> {
  let last = -1
  for (;;) {
    const rows = await readBatch(source, last)
    for (const row of rows) yield readRow(row)
    const end = rows.at(-1)
    if (end === undefined || rows.length < BATCH) return
    last = Number(end['id'])
  }
}

type Row = Readonly<Record<string, unknown>>

async function readBatch<DB>(source: Kysely<DB>, last: number): Promise<readonly Row[]> {
  try {
    // Every column: `login_email_sent` is missing in databases that were never altered by hand.
    const { rows } = await sql<Row>`select * from users_info where id > ${last} order by id limit ${BATCH}`.execute(
      source,
    )
    return rows
  } catch (cause) {
    throw new NativeAuthError('NATIVE_AUTH_IMPORT_FAILED', 'Expected a database with a table `users_info`', { cause })
  }
}

function readRow(row: Row): ImportEntry | UnreadableEntry {
  const line = Number(row['id'])
  const { username } = row
  const hash = readText(row['password'])
  const isAuthorised = readFlag(row['is_authorized'])
  const has2fa = readFlag(row['has_2fa'] ?? false)
  if (typeof username !== 'string') return { line, problem: 'The username is not a text' }
  if (hash === undefined) return { line, problem: 'The password hash is not readable' }
  if (isAuthorised === undefined || has2fa === undefined) return { line, problem: 'A flag is neither true nor false' }
  const secret = readText(row['otp_secret'])
  if (has2fa && secret === undefined) return { line, problem: 'The second factor has no secret' }
  return {
    line,
    username,
    hash,
    isAuthorised,
    email: readText(row['email']),
    totpSecret: has2fa ? secret : undefined,
  }
}

/** Bytes on both databases; drivers hand them over as a Buffer. */
function readText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : undefined
}

function readFlag(value: unknown): boolean | undefined {
  if (value === true || value === 1) return true
  return value === false || value === 0 || value === null ? false : undefined
}
