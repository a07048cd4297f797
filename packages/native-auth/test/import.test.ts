import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

import Database from 'better-sqlite3'
import { type Kysely, sql } from 'kysely'
import { describe, expect, test, vi } from 'vitest'

import { readFirstUse, readNativeAuthenticator } from '../src/index.ts'
import { openDatabase } from '../src/cli/database.ts'
import { run } from '../src/cli/run.ts'
import { stepAt, totp, fromBase32 } from '../src/second-factor/totp.ts'
import { databases, openUrl } from './support/databases.ts'
import { SECRET, TestSite } from './support/site.ts'

// Made by Python's bcrypt 3.2.2 with gensalt(12), as NativeAuthenticator does.
const ONE = { password: 'old password one', hash: '$2b$12$UXotCOF2SG2Fja6ypVSS/ubUF0la5D4bXRpi5hAnhmmIYlm/9H9/G' }
const TWO = { password: 'old password two', hash: '$2b$12$lK7Zk.fjWcmBlvtwL4e2mulysM8U19NDFkYmvQWLRoY.lKMFjeGxu' }
const FIRST_USE = { password: 'first use secret', hash: '$2b$12$71N0D5Xh7vdkTY1kIpLa6uVnWCtQo/rRwe7.Fd5lV.pXsIGB.JhLS' }
const OTP = 'JBSWY3DPEHPK3PXP'

/** The table as SQLAlchemy makes it for NativeAuthenticator 1.3. */
const USERS_INFO = `CREATE TABLE users_info (
  id INTEGER NOT NULL, username VARCHAR(128) NOT NULL, password BLOB NOT NULL, is_authorized BOOLEAN,
  login_email_sent BOOLEAN, email VARCHAR(128), has_2fa BOOLEAN, otp_secret VARCHAR(16), PRIMARY KEY (id))`

type Row = [
  username: string | null,
  hash: string,
  authorised: number | null,
  email: string | null,
  has2fa: number,
  otp: string | null,
]

const ROWS: Row[] = [
  ['alice', ONE.hash, 1, 'alice@example.org', 0, OTP],
  ['bob', TWO.hash, 0, null, 1, OTP],
  ['no/slash', ONE.hash, 1, null, 0, OTP],
  ['plain', 'a password in clear', 1, null, 0, OTP],
  ['ALICE', TWO.hash, 1, null, 0, OTP],
  ['dave', ONE.hash, 1, 'a@b.', 0, OTP],
  ['erin', ONE.hash, 1, null, 1, 'not base32!'],
  ['frank', ONE.hash, 7, null, 0, OTP],
  ['grace', ONE.hash, null, null, 0, OTP],
]

interface Folder extends Disposable {
  file(name: string): string
}

function tempFolder(): Folder {
  const folder = mkdtempSync(path.join(tmpdir(), 'native-auth-import-'))
  return {
    file: (name) => path.join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A database file as a hub leaves it behind. */
function writeHub(file: string, rows: readonly Row[]): void {
  const hub = new Database(file)
  hub.exec(USERS_INFO)
  const insert = hub.prepare(
    'INSERT INTO users_info (username, password, is_authorized, email, has_2fa, otp_secret) VALUES (?, ?, ?, ?, ?, ?)',
  )
  hub.transaction(() => {
    for (const [name, hash, ...rest] of rows) insert.run(name, Buffer.from(hash), ...rest)
  })()
  hub.close()
}

const cli = path.join(import.meta.dirname, '../src/cli/main.ts')

function native(url: string, args: readonly string[], stdin = '') {
  const child = spawn(
    process.execPath,
    ['--conditions=@org/source', '--no-warnings', cli, '--database', url, ...args],
    {
      env: { PATH: process.env['PATH'], NATIVE_AUTH_SECRET: SECRET },
    },
  )
  child.stdin.end(stdin)
  return child
}

/** Runs a command in this process. */
async function runNative(url: string, args: readonly string[], password = '') {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await run(['--database', url, ...args], {
    env: { NATIVE_AUTH_SECRET: SECRET },
    out: (line) => out.push(`${line}\n`),
    err: (line) => err.push(`${line}\n`),
    readPassword: () => Promise.resolve(password),
  })
  return { code, out: out.join(''), err: err.join('') }
}

const hashOf = async (db: Kysely<unknown>, username: string) => {
  const { rows } = await sql<{
    password_hash: string
  }>`select password_hash from native_auth_accounts where username = ${username}`.execute(db)
  return rows[0]?.password_hash
}

describe.each(databases)('native-auth import on %s', (_, createDatabase) => {
  test('takes over a NativeAuthenticator file; old passwords and codes work, hashes become argon2id', async () => {
    await using database = await createDatabase()
    using folder = tempFolder()
    const hub = folder.file('jupyterhub.sqlite')
    writeHub(hub, ROWS)
    expect((await runNative(database.url, ['migrate'])).code).toBe(0)
    const first = await runNative(database.url, ['import', 'native-authenticator', hub, '--admin', 'alice'])
    expect(first.out).toBe('4 imported, 0 here already, 5 skipped\n')
    expect(first.err.trim().split('\n')).toEqual([
      'line 3: A username has letters, digits and . _ - @ + ~ = ! $, without spaces (skipped)',
      'line 4: The password hash is neither bcrypt nor argon2id (skipped)',
      'line 5: The same name as line 1 (skipped)',
      'line 6: The e-mail address is not valid (without-email)',
      'line 7: The secret of the second factor is not base32 of 80 bits or more (skipped)',
      'line 8: A flag is neither true nor false (skipped)',
    ])
    expect(first.code).toBe(1)
    expect(first.out + first.err).not.toMatch(/\$2b|clear|JBSW/)
    const again = await runNative(database.url, ['import', 'native-authenticator', hub])
    expect(again.out).toBe('0 imported, 4 here already, 5 skipped\n')

    const site = new TestSite(database)
    const { auth } = site
    expect(await auth.accounts.get('alice')).toMatchObject({ isAdmin: true, email: 'alice@example.org' })
    expect(await auth.accounts.get('grace')).toMatchObject({ isAuthorised: false })
    await expect(auth.authenticate({ username: 'alice', password: TWO.password })).rejects.toMatchObject({
      code: 'NATIVE_AUTH_INVALID_CREDENTIALS',
    })
    expect(await hashOf(database.db, 'alice')).toBe(ONE.hash)
    await auth.authenticate({ username: 'alice', password: ONE.password })
    expect(await hashOf(database.db, 'alice')).toMatch(/^\$argon2id\$/)
    await auth.authenticate({ username: 'alice', password: ONE.password })
    // The hash itself opens nothing.
    await expect(auth.authenticate({ username: 'dave', password: ONE.hash })).rejects.toMatchObject({
      code: 'NATIVE_AUTH_INVALID_CREDENTIALS',
    })

    await auth.accounts.authorise('bob')
    const code = totp(fromBase32(OTP), stepAt(site.clock.at))
    await expect(auth.authenticate({ username: 'bob', password: TWO.password })).rejects.toMatchObject({
      code: 'NATIVE_AUTH_SECOND_FACTOR_REQUIRED',
    })
    await expect(auth.authenticate({ username: 'bob', password: TWO.password, code })).resolves.toBeDefined()
    expect(await database.dump()).not.toContain(OTP)
  })

  test('loses nothing when it is killed and run again', async () => {
    await using database = await createDatabase()
    using folder = tempFolder()
    const hub = folder.file('jupyterhub.sqlite')
    const count = 600
    writeHub(
      hub,
      Array.from({ length: count }, (__, index): Row => [`user-${index}`, ONE.hash, 1, null, 1, OTP]),
    )
    const site = new TestSite(database)
    await site.auth.migrate()
    const killed = native(database.url, ['import', 'native-authenticator', hub])
    const ended = once(killed, 'exit')
    while ((await site.auth.accounts.list({ limit: 1 })).total === 0 && killed.exitCode === null) await delay(5)
    killed.kill('SIGKILL')
    await ended
    const { total } = await site.auth.accounts.list({ limit: 1 })
    expect(total).toBeGreaterThan(0)
    // Whole or not at all: nobody lost the second factor.
    const { rows } = await sql`select id from native_auth_accounts where has_totp = 0 or totp_secret is null`.execute(
      database.db,
    )
    expect(rows).toEqual([])
    const again = await runNative(database.url, ['import', 'native-authenticator', hub])
    expect(again).toMatchObject({ code: 0, out: `${count - total} imported, ${total} here already, 0 skipped\n` })
  })

  test('takes over a FirstUseAuthenticator export', async () => {
    await using database = await createDatabase()
    using folder = tempFolder()
    const file = folder.file('passwords.json')
    writeFileSync(file, JSON.stringify({ carol: FIRST_USE.hash, 'bad name': FIRST_USE.hash, dan: 7 }))
    await runNative(database.url, ['migrate'])
    const report = await runNative(database.url, ['import', 'first-use', file])
    expect(report).toMatchObject({ code: 1, out: '1 imported, 0 here already, 2 skipped\n' })
    const site = new TestSite(database)
    await expect(site.auth.authenticate({ username: 'carol', password: FIRST_USE.password })).resolves.toBeDefined()
    expect(await hashOf(database.db, 'carol')).toMatch(/^\$argon2id\$/)
    writeFileSync(file, Buffer.from('13579ace', 'hex'))
    const dbm = await runNative(database.url, ['import', 'first-use', file])
    expect([dbm.code, dbm.err]).toEqual([1, expect.stringContaining('python3 -c')])
  })

  test('is stopped by a source that fails, and goes on where it was', async () => {
    await using database = await createDatabase()
    const site = new TestSite(database)
    await site.auth.migrate()
    function* failing() {
      for (const [index, entry] of [...readFirstUse(JSON.stringify({ a1: ONE.hash, b2: ONE.hash }))].entries()) {
        if (index === 1) throw new Error('the disk is gone')
        yield entry
      }
    }
    await expect(site.auth.importAccounts(failing())).rejects.toThrow('the disk is gone')
    const entries = readFirstUse(JSON.stringify({ a1: ONE.hash, b2: ONE.hash }))
    expect(await site.auth.importAccounts(entries)).toEqual({ imported: 1, present: 1, problems: [] })
  })

  test('says so when there is no table of NativeAuthenticator', async () => {
    await using database = await createDatabase()
    const site = new TestSite(database)
    await expect(site.auth.importAccounts(readNativeAuthenticator(database.db))).rejects.toMatchObject({
      code: 'NATIVE_AUTH_IMPORT_FAILED',
    })
  })
})

describe.each(databases)('native-auth on %s', (_, createDatabase) => {
  test('makes an administrator with a password from stdin, unlocks and lists', async () => {
    await using database = await createDatabase()
    const { url } = database
    expect(await runNative(url, ['list'])).toMatchObject({ code: 1, out: '' })
    await runNative(url, ['migrate'])
    const weak = await runNative(url, ['create-admin', 'root'], 'password')
    expect([weak.code, weak.err]).toEqual([1, expect.stringContaining('attackers')])
    const made = await runNative(url, ['create-admin', 'Root'], 'correct horse 17')
    expect(made).toMatchObject({ code: 0, out: 'root is an administrator.\n' })
    expect((await runNative(url, ['list', '--state', 'admin'])).out).toBe('root\tauthorised admin\n')
    expect(JSON.parse((await runNative(url, ['list', '--json'])).out)).toMatchObject({
      username: 'root',
      isAdmin: true,
    })
    expect((await runNative(url, ['unlock', 'root'])).code).toBe(0)
    expect((await runNative(url, ['unlock', 'nobody'])).code).toBe(1)
    await using db = openUrl(url)
    const site = new TestSite({ ...database, db })
    await site.loggedIn({ username: 'root', password: 'correct horse 17' })
  })
})

test('native-auth explains itself, and says what is wrong with a call', async () => {
  const calls = [['--help'], [], ['fly'], ['unlock'], ['list', '--state', 'odd'], ['--what'], ['import', 'x', 'y']]
  const results = await Promise.all(calls.map((args) => runNative(':memory:', args)))
  expect(results.map(({ code }) => code)).toEqual([0, 2, 2, 2, 2, 2, 2])
  expect(results[0]?.out).toContain('native-auth import native-authenticator')
})

test('native-auth reads the password from stdin, and not from its arguments', async () => {
  const [[, createDatabase]] = databases
  await using database = await createDatabase()
  await new TestSite(database).auth.migrate()
  const empty = native(database.url, ['create-admin', 'root'])
  const [[code], said] = await Promise.all([once(empty, 'exit') as Promise<[number]>, text(empty.stderr)])
  expect([code, said]).toEqual([1, expect.stringContaining('no password')])
  const child = native(database.url, ['create-admin', 'root'], 'correct horse 17\n')
  const exit = once(child, 'exit') as Promise<[number]>
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect([(await exit)[0], out, err]).toEqual([0, 'root is an administrator.\n', ''])
})

test('native-auth outlives a connection that the server ends', async () => {
  const [, [, createDatabase]] = databases
  await using database = await createDatabase()
  const db = await openDatabase(database.url)
  try {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
    await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(database.db)
    await vi.waitFor(() => sql`select 1`.execute(db), 30_000)
  } finally {
    await db.destroy()
  }
})

test('a hash that asks for more memory than a login may cost is not taken over', async () => {
  const [[, createDatabase]] = databases
  await using database = await createDatabase()
  const site = new TestSite(database)
  await site.auth.migrate()
  const rest = `$c29tZXNhbHRzb21lc2FsdA$${'A'.repeat(43)}`
  const costs = ['m=999999999,t=2,p=1', 'm=0,t=0,p=0', 'm=19456,t=999999999,p=1', 'm=19456,t=2,p=0', 'm=19456,t=2,p=1']
  const entries = costs.map((cost, index) => ({
    line: index + 1,
    username: `person${index}`,
    hash: `$argon2id$v=19$${cost}${rest}`,
    isAuthorised: true,
  }))
  const { imported, problems } = await site.auth.importAccounts(entries)
  expect([imported, problems.map(({ line }) => line)]).toEqual([1, [1, 2, 3, 4]])
})
