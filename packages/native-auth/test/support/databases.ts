import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import Database from 'better-sqlite3'
import { Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely'
import pg from 'pg'
import type {} from '@org/services'
import { inject } from 'vitest'

/** A database of one test file's own; disposing drops it. */
export interface TestDatabase extends AsyncDisposable {
  readonly db: Kysely<unknown>
  /** Address for another process: a file name, or a Postgres URL with the schema on its search path. */
  readonly url: string
  /** Everything that is stored, as text, to look for what must not be there. */
  dump(): Promise<string>
}

const TABLES = ['accounts', 'sessions', 'tokens', 'recovery_codes', 'throttle', 'audit']

async function dump(db: Kysely<unknown>): Promise<string> {
  const tables = TABLES.map((table) => sql`select * from ${sql.table(`native_auth_${table}`)}`.execute(db))
  return JSON.stringify((await Promise.all(tables)).map(({ rows }) => rows))
}

/** Opens SQLite on a file, as services do. */
function openSqlite(file: string, onStatement?: (text: string) => void): Kysely<unknown> {
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('foreign_keys = ON')
  return new Kysely<unknown>({ dialect: new SqliteDialect({ database }), ...logTo(onStatement) })
}

/** Opens Postgres. */
function openPostgres(url: string, onStatement?: (text: string) => void): Kysely<unknown> {
  return new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 8 }) }),
    ...logTo(onStatement),
  })
}

/** Opens what {@link TestDatabase.url} names. */
export const openUrl = (url: string, onStatement?: (text: string) => void): Kysely<unknown> =>
  url.startsWith('postgres') ? openPostgres(url, onStatement) : openSqlite(url, onStatement)

const logTo = (onStatement: ((text: string) => void) | undefined) =>
  onStatement === undefined ? {} : { log: ({ query }: { query: { sql: string } }) => onStatement(query.sql) }

async function createSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(path.join(tmpdir(), 'native-auth-'))
  const url = path.join(folder, 'auth.sqlite')
  const db = openSqlite(url)
  return {
    db,
    url,
    dump: () => dump(db),
    async [Symbol.asyncDispose]() {
      await db.destroy()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

let serial = 0

async function createPostgres(): Promise<TestDatabase> {
  const admin = openPostgres(inject('postgresUrl'))
  serial += 1
  const schema = `native_auth_${process.pid}_${serial}_${Date.now().toString(36)}`
  await admin.schema.createSchema(schema).execute()
  const url = new URL(inject('postgresUrl'))
  url.searchParams.set('options', `-c search_path=${schema}`)
  const db = openPostgres(url.href)
  return {
    db,
    url: url.href,
    dump: () => dump(db),
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await admin.schema.dropSchema(schema).cascade().execute()
      await admin.destroy()
    },
  }
}

/** The databases that every contract holds on. */
export const databases = [
  ['SQLite', createSqlite],
  ['Postgres', createPostgres],
] as const
