import Database from 'better-sqlite3'
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely'
import pg from 'pg'

/** Opens SQLite on a file, as services do. */
function openSqlite(file: string, onStatement?: (text: string) => void): Kysely<unknown> {
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('foreign_keys = ON')
  return new Kysely<unknown>({ dialect: new SqliteDialect({ database }), ...logTo(onStatement) })
}

/** Opens Postgres. */
function openPostgres(url: string, onStatement?: (text: string) => void): Kysely<unknown> {
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  // A database that is dropped ends connections that are just being closed, and says so to them.
  pool.on('error', () => {})
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }), ...logTo(onStatement) })
}

/** Opens what {@link TestDatabase.url} names. */
export const openUrl = (url: string, onStatement?: (text: string) => void): Kysely<unknown> =>
  url.startsWith('postgres') ? openPostgres(url, onStatement) : openSqlite(url, onStatement)

const logTo = (onStatement: ((text: string) => void) | undefined) =>
  onStatement === undefined ? {} : { log: ({ query }: { query: { sql: string } }) => onStatement(query.sql) }
