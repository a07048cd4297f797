import { chmodSync, closeSync, openSync } from 'node:fs'

import BetterSqlite from 'better-sqlite3'
import { Kysely, PostgresDialect } from 'kysely'

import { HubError, reasonOf } from '../errors.ts'
import type { ChangeMark } from './recall.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import type { Database, Tables } from './tables.ts'

/** An open database and which kind it is. */
export interface OpenDatabase extends AsyncDisposable {
  readonly db: Database
  readonly kind: 'sqlite' | 'postgres'
  /** Tells whether anything has changed since. */
  readonly mark: ChangeMark
}

/**
 * Opens the SQLite file of a hub, made with mode 0600 when it is missing.
 *
 * @throws {@link HubError} `HUB_DATABASE` when the file cannot be opened or is no database.
 */
export function openSqlite(file: string): OpenDatabase {
  try {
    // better-sqlite3 would make it with the umask's mode, and JupyterHub's was readable by all: it holds token hashes.
    closeSync(openSync(file, 'a', 0o600))
    chmodSync(file, 0o600)
    const database = new BetterSqlite(file, { timeout: 0 })
    // A write-ahead log: a program that reads the file for long no longer makes the hub's commits fail.
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.pragma('foreign_keys = ON')
    const { dialect, mark } = sqliteDialect(database)
    const db = new Kysely<Tables>({ dialect })
    return { db, kind: 'sqlite', mark, [Symbol.asyncDispose]: () => db.destroy() }
  } catch (error) {
    throw new HubError('HUB_DATABASE', `Cannot open the database ${file}: ${reasonOf(error)}`, { cause: error })
  }
}

/** Postgres type id of `timestamp`, which node-postgres would read in the machine's own time zone. */
const TIMESTAMP_OID = 1114

/** Connects to Postgres; the first statement finds out whether it answers. */
export async function openPostgres(url: string): Promise<OpenDatabase> {
  // Loaded on demand: most hubs run on SQLite.
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 1500,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === TIMESTAMP_OID
          ? (text: string) => text
          : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {})
  // One that breaks while a transaction has it tells the next statement, and nobody else would hear of it.
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  return { db, kind: 'postgres', mark: () => undefined, [Symbol.asyncDispose]: () => db.destroy() }
}
