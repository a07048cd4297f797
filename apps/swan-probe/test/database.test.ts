import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { runProbe, runYaml, verdicts } from './run.ts'

let dir: string
let file: string

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'database-'))
  file = path.join(dir, 'jupyterhub.sqlite')
})

afterEach(() => rmSync(dir, { recursive: true, force: true }))

const schema = `
create table users (id integer primary key, name text);
create table servers (id integer primary key, proto text, ip text, port integer, base_url text, cookie_name text);
create table spawners (id integer primary key, user_id integer, server_id integer, state text, name text, started text);
create table api_tokens (id integer primary key, user_id integer, service_id integer, hashed text, note text);
`

/** Makes the database of a hub: who is known, who has a running server. */
function makeDatabase(users: Readonly<Record<string, 'running' | 'stopped' | 'new'>>, extra = ''): DatabaseSync {
  const database = new DatabaseSync(file)
  database.exec(schema)
  let id = 0
  // The service's token comes first, as on a real hub; the original took it for the user's.
  database.exec(`insert into api_tokens values (1, null, 1, 'x', 'a service')`)
  for (const [user, state] of Object.entries(users)) {
    id++
    database.prepare('insert into users values (?, ?)').run(id, user)
    database.prepare('insert into api_tokens values (?, ?, null, ?, ?)').run(100 + id, id, 'x', 'made by hand')
    if (state === 'new') continue
    const running = state === 'running'
    database.prepare('insert into spawners values (?, ?, ?, ?, ?, null)').run(id, id, running ? id : null, '{}', '')
    if (!running) continue
    const url = `/user/${encodeURIComponent(user)}/`
    database.prepare('insert into servers values (?, ?, ?, ?, ?, ?)').run(id, 'http', '127.0.0.1', 4000 + id, url, 'c')
    database.prepare('insert into api_tokens values (?, ?, null, ?, ?)').run(200 + id, id, 'x', `Server at ${url}`)
  }
  if (extra !== '') database.exec(extra)
  return database
}

const all = (user: string, mode: 'active' | 'delete', more: Readonly<Record<string, unknown>> = {}) =>
  runYaml(
    JSON.stringify({
      database: Object.fromEntries(
        ['token', 'servers', 'spawners'].map((name) => [name, { path: file, user, mode, ...more }]),
      ),
    }),
  )
const short = async (...words: Parameters<typeof all>) => verdicts(await all(...words)).map(([, verdict]) => verdict)

describe('rows of the user', () => {
  test.each(['user1', "o'brien", '100%', 'a b', 'a@b', 'ü'])('decide for %j, whoever else runs', async (user) => {
    makeDatabase({ [user]: 'running', user10: 'stopped', other: 'running' }).close()
    expect(await short(user, 'active')).toEqual(['pass', 'pass', 'pass'])
    expect(await short(user, 'delete')).toEqual(Array(3).fill('fail PROBE_DB_STATE'))
    expect(await short('user10', 'delete')).toEqual(['pass', 'pass', 'pass'])
    expect(await short('user10', 'active')).toEqual(Array(3).fill('fail PROBE_DB_STATE'))
  })

  test('of a user who never started a server count as stopped', async () => {
    makeDatabase({ fresh: 'new' }).close()
    expect(await short('fresh', 'delete')).toEqual(['pass', 'pass', 'pass'])
  })

  test('are those of the named server when one is named', async () => {
    makeDatabase(
      { alice: 'stopped' },
      `insert into servers values (9, 'http', '', 4009, '/user/alice/gpu/', 'c');
       insert into spawners values (9, 1, 9, '{}', 'gpu', null);
       insert into api_tokens values (9, 1, null, 'x', 'Server at /user/alice/gpu/')`,
    ).close()
    expect(await short('alice', 'active', { server: 'gpu' })).toEqual(['pass', 'pass', 'pass'])
    expect(await short('alice', 'delete')).toEqual(['pass', 'pass', 'pass'])
  })

  test('that are missing prove nothing: an unknown user fails in both modes', async () => {
    makeDatabase({ alice: 'running' }).close()
    for (const mode of ['active', 'delete'] as const) {
      const report = await all('alcie', mode)
      expect(verdicts(report).map(([, verdict]) => verdict)).toEqual(Array(3).fill('fail PROBE_DB_STATE'))
      expect(report.results[0]?.message).toContain('has no user `alcie`')
    }
  })

  test('are said in the words of the original', async () => {
    makeDatabase({ alice: 'running' }).close()
    const report = await all('alice', 'active')
    const info = report.results.map((result) => result.lines.at(-1)?.split('| ')[1])
    expect(info).toEqual([
      'Server is active, Server at /user/alice/',
      "Server is active, [(4001, '/user/alice/')]",
      'Server is active, [(1,)]',
    ])
  })
})

describe('a file', () => {
  const servers = (values: Readonly<Record<string, unknown>> = {}) =>
    runProbe('database.servers', { path: file, user: 'alice', mode: 'active', ...values })

  test.each<[string, () => void, string]>([
    ['that is missing', () => {}, 'there is nothing (and nothing was created)'],
    ['that is a folder', () => mkdirSync(file), 'it is a folder'],
    ['that is empty', () => writeFileSync(file, ''), 'the file is empty'],
    ['that is something else', () => writeFileSync(file, 'x'.repeat(4096)), 'the file is something else'],
  ])('%s fails and says so', async (_, make, words) => {
    make()
    const existed = existsSync(file)
    expect(await servers()).toMatchObject({
      status: 'fail',
      code: 'PROBE_DB_FILE',
      message: expect.stringContaining(words),
    })
    expect(existsSync(file)).toBe(existed)
  })

  test('that was cut off fails', async () => {
    const database = makeDatabase({ alice: 'running' })
    const rows = Array(400)
      .fill(`(1, '${'h'.repeat(99)}', 'n')`)
      .join(', ')
    database.exec(`insert into api_tokens (user_id, hashed, note) values ${rows}`)
    database.close()
    truncateSync(file, 8192)
    expect(await servers()).toMatchObject({ status: 'fail', code: 'PROBE_DB_FILE' })
  })

  test('without the tables, or with others, fails', async () => {
    const database = new DatabaseSync(file)
    database.exec('create table users (id integer primary key, name text)')
    database.close()
    expect(await servers()).toMatchObject({ status: 'fail', code: 'PROBE_DB_SCHEMA' })
    rmSync(file)
    makeDatabase({}, 'alter table spawners rename column server_id to something').close()
    expect(await servers()).toMatchObject({ status: 'fail', code: 'PROBE_DB_SCHEMA' })
  })

  test('with a table of another name is read, and its name is no SQL', async () => {
    makeDatabase({ alice: 'running' }, 'alter table servers rename to "my ""servers"').close()
    expect(await servers({ table_name: 'my "servers' })).toMatchObject({ status: 'pass' })
    expect(await servers({ table_name: 'servers; drop table users' })).toMatchObject({ code: 'PROBE_DB_SCHEMA' })
  })

  test('of a newer hub, with columns of its own, is read', async () => {
    makeDatabase(
      { alice: 'running' },
      'alter table api_tokens add column scopes text; alter table users add column admin boolean',
    ).close()
    expect(await servers()).toMatchObject({ status: 'pass' })
  })

  test('that the hub writes in WAL mode is read, uncommitted rows left out', async () => {
    const hub = makeDatabase({ alice: 'running' })
    hub.exec('pragma journal_mode = wal')
    hub.exec('begin immediate')
    hub.exec('delete from servers')
    expect(await servers()).toMatchObject({ status: 'pass' })
    hub.exec('commit')
    expect(await servers()).toMatchObject({ status: 'fail', code: 'PROBE_DB_STATE' })
    hub.close()
  })

  test('that is locked for a moment passes, for longer fails as locked', async () => {
    const hub = makeDatabase({ alice: 'running' })
    hub.exec('begin exclusive')
    const locked = await servers({ timeout: 1 })
    expect(locked).toMatchObject({ status: 'fail', code: 'PROBE_DB_LOCKED' })
    setTimeout(() => hub.exec('commit'), 300)
    expect(await servers({ timeout: 10 })).toMatchObject({ status: 'pass' })
    hub.close()
  })

  test('is not held open: the hub can commit at any time', async () => {
    const hub = makeDatabase({ alice: 'running' })
    await servers()
    hub.exec('pragma busy_timeout = 0')
    hub.exec(`begin exclusive; insert into users values (50, 'new'); commit`)
    hub.close()
  })

  test.skipIf(process.getuid?.() !== 0)('that this user may not read fails with the reason', async () => {
    makeDatabase({ alice: 'running' }).close()
    chmodSync(dir, 0o700)
    // As another user, since root may read everything.
    const child = spawn(
      'setpriv',
      ['--reuid', '65534', '--clear-groups', process.execPath, path.join(import.meta.dirname, '../src/main.ts')].concat(
        ['run', 'database.servers', '--path', file, '--user', 'alice', '--mode', 'active', '--format', 'json'],
      ),
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        cwd: '/',
      },
    )
    let output = ''
    for await (const chunk of child.stdout) output += String(chunk)
    expect(JSON.parse(output).results[0]).toMatchObject({ status: 'fail', message: expect.stringContaining('EACCES') })
  })
})
