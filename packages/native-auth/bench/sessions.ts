import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { peer as packageOf } from '@org/bench'
import { sql } from 'kysely'

import type { AuthDb } from '../src/store/tables.ts'
import { openBetterAuth } from './better-auth.ts'
import { compare, interleave, report } from './measure.ts'
import type { BenchSite } from './site.ts'

/** P4: the session check on SQLite, and that of better-auth. */
export async function sessionChecks(site: BenchSite): Promise<void> {
  const { driver, auth } = site
  const tables = site.db as unknown as AuthDb
  if (driver === undefined) return
  const insert = driver.prepare(
    'insert into native_auth_sessions (token_hash, id, account_id, created_at, used_at) values (?, ?, ?, ?, ?)',
  )
  const tokens = Array.from({ length: 50_000 }, () =>
    createHash('sha256').update(crypto.randomUUID()).digest('base64url'),
  )
  driver.transaction(() => {
    const now = Date.now()
    for (const [index, token] of tokens.entries()) {
      insert.run(createHash('sha256').update(token).digest('base64url'), `s${index}`, (index % 100) + 1, now, now)
    }
  })()
  const prepared = driver.prepare(
    'select a.*, s.id as session_id from native_auth_sessions s join native_auth_accounts a on a.id = s.account_id where s.token_hash = ?',
  )
  const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
  const pick = (index: number) => tokens[(index * 7919) % tokens.length] ?? ''
  const request = (token: string) => new Request('http://127.0.0.1/', { headers: { authorization: `Bearer ${token}` } })
  const many = (run: (token: string) => unknown) => async () => {
    for (let index = 0; index < 2000; index += 1) await run(pick(index))
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'native-auth-peer-'))
  const peer = await openBetterAuth(path.join(folder, 'peer.sqlite'))
  const headers = (token: string) => ({ headers: new Headers({ cookie: `__Host-native-auth-session=${token}` }) })
  site.statements.length = 0
  await auth.sessions.verify(pick(1))
  report('P4', 'statements a session check, SQLite', String(site.statements.length), '1', site.statements.length === 1)
  const [plain = 0, bare = 0, ours = 0, whole = 0, cookie = 0, better = 0] = await interleave([
    {
      name: 'kysely',
      run: many((token) =>
        tables
          .selectFrom('native_auth_sessions as s')
          .innerJoin('native_auth_accounts as a', 'a.id', 's.account_id')
          .selectAll('a')
          .select('s.id as session_id')
          .where('s.token_hash', '=', hash(token))
          .executeTakeFirst(),
      ),
    },
    { name: 'prepared', run: many((token) => prepared.get(hash(token))) },
    { name: 'verify', run: many((token) => auth.sessions.verify(token)) },
    { name: 'fromRequest', run: many((token) => auth.sessions.fromRequest(request(token))) },
    { name: 'cookie', run: many((token) => auth.sessions.fromRequest(headers(token))) },
    { name: 'better-auth', run: many(() => peer()) },
  ])
  const sqlite = packageOf('better-sqlite3', import.meta.url)
  const kysely = packageOf('kysely', import.meta.url)
  const join = { name: 'a join with kysely', version: kysely.version }
  compare('P4', 'session check, SQLite', ours / plain, join, { atMost: 1.5 })
  const statement = { name: 'a prepared statement of better-sqlite3', version: sqlite.version }
  compare('P4', 'session check, SQLite, beside the driver', ours / bare, statement, { atMost: 3 })
  compare('P4', 'session check, SQLite, from a Request', whole / plain, join)
  compare('P4', 'session check by cookie', cookie / better, packageOf('better-auth', import.meta.url), {
    atMost: Number((1 / 3).toFixed(2)),
  })
  rmSync(folder, { recursive: true, force: true })
}

/** P5: the session check on Postgres. */
export async function sessionChecksOnPostgres(site: BenchSite): Promise<void> {
  const { token } = await site.auth.sessions.create('user-1')
  const hash = createHash('sha256').update(token).digest('base64url')
  const many = (run: () => Promise<unknown>) => async () => {
    for (let index = 0; index < 200; index += 1) await run()
  }
  const [bare = 0, ours = 0] = await interleave([
    {
      name: 'select',
      run: many(() => sql`select account_id from native_auth_sessions where token_hash = ${hash}`.execute(site.db)),
    },
    { name: 'verify', run: many(() => site.auth.sessions.verify(token)) },
  ])
  const select = { name: 'an indexed select with pg', version: packageOf('pg', import.meta.url).version }
  compare('P5', 'session check, Postgres', ours / bare, select, { atMost: 1.3 })
}
