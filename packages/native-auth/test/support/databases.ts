import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { type Kysely, sql } from 'kysely'
import type {} from '@org/services'
import { inject, vi } from 'vitest'

import { openUrl } from './databases-open.ts'

export { openUrl }

// Nothing here waits on a clock; a machine that builds other things at once is merely slow.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

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

async function createSqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(path.join(tmpdir(), 'native-auth-'))
  const url = path.join(folder, 'auth.sqlite')
  const db = openUrl(url)
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
  const admin = openUrl(inject('postgresUrl'))
  serial += 1
  const schema = `native_auth_${process.pid}_${serial}_${Date.now().toString(36)}`
  await admin.schema.createSchema(schema).execute()
  const url = new URL(inject('postgresUrl'))
  url.searchParams.set('options', `-c search_path=${schema}`)
  const db = openUrl(url.href)
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
