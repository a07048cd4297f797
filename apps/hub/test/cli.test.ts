import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { loadConfig } from '../src/config/config.ts'
import { settingsField } from '../src/config/settings.ts'
import { startHub, type TestHub } from './support/running-hub.ts'

describe('the configuration', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'hub-config-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))
  const read = (text: string, env = {}) => {
    const file = path.join(dir, 'hub.yaml')
    writeFileSync(file, text)
    return loadConfig({ file, env })
  }

  test('may be empty', () => {
    expect(read('')).toMatchObject({ ip: '127.0.0.1', port: 8000, base_url: '/', hub: { port: 8081 } })
  })

  test('gives way to the environment', () => {
    expect(read('port: 9000', { HUB_PORT: '9001', HUB_BASE_URL: '/x' })).toMatchObject({ port: 9001, base_url: '/x/' })
  })

  test.each([
    ['port: 99999', 1, 'port', 'from 1 to 65535'],
    ['port: 9000\nprot: 1', 2, 'prot', 'Unknown setting'],
    ['spawner:\n  kind: magic', 2, 'spawner.kind', 'process, docker'],
    ['spawner:\n  kind: docker', 2, 'docker.image', 'Expected an image'],
    ['services:\n  - name: a\n    api_token: short', 2, 'services[0]', 'at least 8 characters'],
    ['services:\n  - name: a\n    api_token_env: ABSENT', 2, 'services[0]', 'ABSENT is not set'],
    ['services:\n  - { name: a, api_token: "123456789", roles: [nobody] }', 2, 'services[0]', 'Unknown role nobody'],
    ['roles:\n  - name: a\n    scopes: [fly]', 2, 'roles[0]', 'Unknown scope fly'],
    ['roles:\n  - name: a\n    users: [a/b]', 2, 'roles[0]', 'Invalid username a/b'],
    ['base_url: hub', 1, 'base_url', 'a path that starts with /'],
    ['proxy: { ssl_key: k }', 1, 'proxy', 'ssl_cert'],
    ['port: 8001', 1, 'port', 'three different ports'],
    ['port: [', 1, 'YAML', ''],
    ['accounts: 5', 1, 'accounts', 'map of settings'],
    ['limits: { named_servers: -1 }', 1, 'limits.named_servers', 'at least 0'],
    ['hub: { keep_servers: maybe }', 1, 'hub.keep_servers', 'true or false'],
  ])('%j is refused, with its line', (text, line, setting, reason) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'HUB_BAD_CONFIG',
        message: expect.stringMatching(
          new RegExp(
            `hub\\.yaml:${line}: ${setting.replace(/[[\].]/g, '\\$&')}: .*${reason.replace(/[[\].]/g, '\\$&')}`,
          ),
        ) as string,
      }),
    )
  })

  test('never shows a token in a complaint', () => {
    expect(() => read('services:\n  - name: a\n    api_token: "s3cret"\n    admin: maybe')).not.toThrow('s3cret')
  })
})

describe('the command line', { timeout: 60_000 }, () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await startHub()
  }, 60_000)
  afterAll(() => hub?.[Symbol.asyncDispose](), 60_000)

  test('explains itself', async () => {
    const { code, out } = await hub.command(['--help'])
    expect(code).toBe(0)
    for (const word of ['create-admin', 'check-config', 'token', 'upgrade-db', 'backup', 'spawner.kind']) {
      expect(out).toContain(word)
    }
  })

  test('refuses what it does not know with code 2', async () => {
    expect(await hub.command(['fly'])).toMatchObject({ code: 2, err: 'hub: Unknown command fly; see hub --help\n' })
    expect((await hub.command(['--colour'])).code).toBe(2)
    expect((await hub.command(['create-admin', 'x'])).code).toBe(2)
  })

  test('checks the configuration', async () => {
    expect(await hub.command(['check-config'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('is fine') as string,
    })
    const bad = await hub.command(['check-config'], { HUB_PORT: 'many' })
    expect(bad).toMatchObject({ code: 1, err: expect.stringContaining('port (from HUB_PORT)') as string })
  })

  test('makes tokens, for users within their rights', async () => {
    await hub.call('POST', '/users/ada')
    const { code, out } = await hub.command(['token', 'ada', '--note', 'by hand', '--expires-in', '60'])
    expect(code).toBe(0)
    expect((await hub.call('GET', '/user', { token: out.trim() })).json).toMatchObject({ name: 'ada' })
    expect((await hub.command(['token', 'ada', '--scope', 'admin:users'])).code).toBe(2)
    expect((await hub.command(['token', 'nobody'])).code).toBe(2)
    expect((await hub.command(['token'])).out).toMatch(/^[0-9a-f]{32}\n$/)
  })

  test('copies the database while the hub runs', async () => {
    const file = path.join(hub.dir, 'copy.sqlite')
    expect((await hub.command(['backup', '--output', file])).code).toBe(0)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const copy = new Database(file, { readonly: true })
    expect(copy.prepare("select name from users where name = 'ada'").all()).toHaveLength(1)
    copy.close()
    expect((await hub.command(['backup', '--output', file])).code).toBe(2)
  })

  test('brings the database up to date', async () => {
    expect(await hub.command(['upgrade-db'])).toMatchObject({ code: 0, out: 'The database is up to date\n' })
  })

  test('keeps files that hold secrets from other people', () => {
    for (const name of ['jupyterhub.sqlite', 'cookie-secret', 'proxy.json', 'proxy.log']) {
      expect(statSync(path.join(hub.dir, 'data', name)).mode & 0o077).toBe(0)
    }
    expect(statSync(path.join(hub.dir, 'data')).mode & 0o077).toBe(0)
  })

  test('refuses a file that is no database', async () => {
    await using other = await startHub()
    await other.end('SIGTERM')
    writeFileSync(other.database, 'this is not a database, and it is long enough to be looked at as one')
    rmSync(`${other.database}-wal`, { force: true })
    expect(await other.command(['serve'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('not a database') as string,
    })
    copyFileSync(path.join(hub.dir, 'copy.sqlite'), other.database)
    const newer = new Database(other.database)
    newer.prepare("update alembic_version set version_num = 'ffff'").run()
    newer.close()
    expect(await other.command(['serve'])).toMatchObject({ code: 1, err: expect.stringContaining('ffff') as string })
  })
})

test('the README names every setting and every command', () => {
  const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8')
  for (const { setting } of settingsField.rows('')) expect(readme).toContain(`\`${setting}\``)
  for (const command of ['create-admin', 'check-config', 'token', 'import-accounts', 'upgrade-db', 'backup']) {
    expect(readme).toContain(`\`hub ${command}`)
  }
})
