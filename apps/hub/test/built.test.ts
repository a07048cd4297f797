import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startHub, type TestHub } from './support/running-hub.ts'

const app = path.resolve(import.meta.dirname, '..')

describe('the built hub', { timeout: 120_000 }, () => {
  let dir: string
  let hub: TestHub

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'built-'))
    for (const name of ['assets', 'node_modules', 'package.json'])
      symlinkSync(path.join(app, name), path.join(dir, name))
    const tsup = createRequire(import.meta.url).resolve('tsup/package.json')
    const args = [path.join(path.dirname(tsup), 'dist/cli-default.js'), '--out-dir', path.join(dir, 'dist')]
    await promisify(execFile)(process.execPath, args, { cwd: app })
    hub = await startHub({}, [path.join(dir, 'dist', 'main.js')])
  }, 120_000)
  afterAll(async () => {
    await hub?.[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  }, 60_000)

  test('answers, shows its pages and their style', async () => {
    expect((await hub.call('GET', '/user')).json).toMatchObject({ name: 'tester' })
    expect((await fetch(`${hub.url}hub/login`)).status).toBe(200)
    const style = await fetch(`${hub.url}hub/static/hub.css`)
    expect(await style.text()).toBe(readFileSync(path.join(app, 'assets', 'hub.css'), 'utf8'))
    expect((await fetch(`${hub.url}hub/static/xterm.js`)).status).toBe(200)
  })

  test('hashes passwords and runs its own single-user server', async () => {
    const made = await hub.command(['create-admin', 'ada'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    expect(made).toMatchObject({ code: 0 })
    const auth = { username: 'ada', password: 'correct horse battery' }
    const token = await hub.call('POST', '/users/ada/tokens', { token: null, body: { auth } })
    expect(token.status).toBe(201)
    expect((await hub.call('POST', '/users/ada/server')).status).toBe(201)
    expect((await fetch(`${hub.url}user/ada/api`)).status).toBeLessThan(400)
    expect((await hub.call('DELETE', '/users/ada/server')).status).toBe(204)
  })

  test('starts with the flags that keep it small', () => {
    const [first] = readFileSync(path.join(dir, 'dist', 'main.js'), 'utf8').split('\n', 1)
    expect(first).toBe('#!/usr/bin/env -S node --max-semi-space-size=4')
  })
})
