import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import Database from 'better-sqlite3'
import { Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely'
import pg from 'pg'

import { createNativeAuth, type NativeAuth, type PasswordHasher } from '../src/index.ts'

/** What is measured: an authenticator without limits by client or lockout. */
export interface BenchSite extends AsyncDisposable {
  readonly auth: NativeAuth<Record<string, never>>
  readonly db: Kysely<unknown>
  /** The driver's own handle; on SQLite only. */
  readonly driver: Database.Database | undefined
  readonly statements: string[]
  post(route: string, body: unknown): Promise<Response>
}

const SECRET = 'a secret of at least thirty-two characters'

/** Opens a site on a SQLite file, or in a schema of its own on Postgres. */
export async function openBench(url: string | undefined, hasher: PasswordHasher): Promise<BenchSite> {
  const statements: string[] = []
  const log = ({ query }: { readonly query: { readonly sql: string } }) => void statements.push(query.sql)
  let driver: Database.Database | undefined
  let close: () => Promise<void>
  let db: Kysely<unknown>
  if (url === undefined) {
    const folder = mkdtempSync(path.join(tmpdir(), 'native-auth-bench-'))
    driver = new Database(path.join(folder, 'auth.sqlite'))
    driver.pragma('journal_mode = WAL')
    driver.pragma('synchronous = NORMAL')
    db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: driver }), log })
    close = async () => rmSync(folder, { recursive: true, force: true })
  } else {
    const schema = `native_auth_bench_${process.pid}`
    const address = new URL(url)
    address.searchParams.set('options', `-c search_path=${schema}`)
    const pool = new pg.Pool({ connectionString: address.href, max: 8 })
    // A server that stops ends connections that are just being closed, and says so to them.
    pool.on('error', () => {})
    db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }), log })
    await sql`create schema if not exists ${sql.id(schema)}`.execute(db)
    const admin = new Kysely<unknown>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
    })
    close = async () => {
      await sql`drop schema ${sql.id(schema)} cascade`.execute(admin)
      await admin.destroy()
    }
  }
  const auth = createNativeAuth({
    db,
    secret: SECRET,
    lockout: { failures: 0 },
    clientLimits: { loginsPerMinute: 0, signUpsPerHour: 0 },
    passwords: { hasher },
  })
  await auth.migrate()
  return {
    auth,
    db,
    driver,
    statements,
    post: (route, body) =>
      auth.handler(
        new Request(`http://127.0.0.1/auth${route}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await close()
    },
  }
}
