import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import BetterSqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { ensureSchema } from './schema.ts'
import { openSqlite, type OpenDatabase } from './open.ts'
import { ensureHubClient } from './oauth.ts'
import { TokenUses } from './token-uses.ts'
import { insertToken } from './tokens.ts'
import { createUsers } from './users.ts'

describe('a database that another program holds', () => {
  const now = new Date('2026-11-21T12:00:00Z')
  const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
  let dir: string
  let open: OpenDatabase
  let other: BetterSqlite.Database
  let attempts = 0

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'dialect-'))
    const file = path.join(dir, 'hub.sqlite')
    open = openSqlite(file)
    await ensureSchema(open.db, open.kind)
    await ensureHubClient(open.db)
    other = new BetterSqlite(file)
    const prototype = Object.getPrototypeOf(other.prepare('select 1')) as BetterSqlite.Statement
    const run = Reflect.get(prototype, 'run') as (...values: unknown[]) => BetterSqlite.RunResult
    attempts = 0
    vi.spyOn(prototype, 'run').mockImplementation(function (this: BetterSqlite.Statement, ...values: unknown[]) {
      attempts += 1
      return run.apply(this, values)
    })
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    other.close()
    await open[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  })

  const write = () => open.db.deleteFrom('groups').execute()
  const read = () => open.db.selectFrom('users').selectAll().execute()

  test('makes one write wait; the next is refused at once, though readings succeed in between', async () => {
    other.exec('begin immediate')
    await expect(write()).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
    expect(attempts).toBeGreaterThan(5)
    expect(await read()).toEqual([])
    attempts = 0
    await expect(write()).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
    expect(attempts).toBe(1)
    other.exec('rollback')
    await write()
    other.exec('begin immediate')
    attempts = 0
    await Promise.all([write(), Promise.resolve().then(() => other.exec('rollback'))])
    expect(attempts).toBeGreaterThan(0)
  })

  test('costs uses of tokens their note, and nobody an answer', async () => {
    const [user] = await createUsers(open.db, ['ada'], false, now)
    const token = await insertToken(open.db, 'a token', { userId: user?.id ?? 0, scopes: ['inherit'] }, now)
    const lines: string[] = []
    await using uses = new TokenUses(open.db, (level, message) => lines.push(`${level} ${message}`))
    const noted = async () => {
      await uses.settled()
      return (await open.db.selectFrom('api_tokens').select('last_activity').executeTakeFirst())?.last_activity
    }
    other.exec('begin immediate')
    uses.note(token, later(1))
    expect(await noted()).toBeNull()
    expect(lines).toEqual(['warn uses of tokens could not be noted'])
    other.exec('rollback')
    attempts = 0
    uses.note(token, later(20))
    expect(await noted()).toBeNull()
    expect(attempts).toBe(0)
    uses.note(token, later(40))
    expect(await noted()).toBe('2026-11-21 12:00:40.000000')
    expect(await read()).toMatchObject([{ last_activity: '2026-11-21 12:00:40.000000' }])
    uses.note({ ...token, last_activity: (await noted()) ?? null }, later(60))
    expect(await noted()).toBe('2026-11-21 12:00:40.000000')
  })
})
