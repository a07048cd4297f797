import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { serve } from '@hono/node-server'
import { expect, onTestFinished, test, vi } from 'vitest'

import { NativeAuthError } from '../src/index.ts'
import { STATUS } from '../src/http/respond.ts'
import { SECRET } from './support/site.ts'

const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8')

test('the quick start of the README runs on Hono over real HTTP', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'native-auth-example-'))
  vi.stubEnv('DATABASE', path.join(folder, 'auth.sqlite'))
  vi.stubEnv('AUTH_SECRET', SECRET)
  const { app } = await import('../examples/quick-start.ts')
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  if (!server.listening) await once(server, 'listening')
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const home = await fetch(`${origin}/`, { redirect: 'manual' })
  expect([home.status, home.headers.get('location')]).toEqual([302, '/auth/login?next=/'])
  const post = (route: string, body: unknown) =>
    fetch(`${origin}/auth${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const ann = { username: 'Ann', password: 'staple battery 3' }
  expect((await post('/users/register', ann)).status).toBe(201)
  expect((await post('/login', ann)).status).toBe(403)
  server.close()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

test.each(['quick-start.ts', 'serve.ts'])('the README shows %s as it is', (name) => {
  const example = readFileSync(path.join(import.meta.dirname, '../examples', name), 'utf8')
  expect(readme).toContain(example.trim())
})

// Three processes start one after another, on a machine that may be busy.
test(
  'the second file of the README serves the first, and an administrator made beforehand logs in',
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'native-auth-serve-'))
    const file = path.join(folder, 'auth.sqlite')
    const run = (name: string, args: readonly string[]) =>
      spawn(process.execPath, ['--conditions=@org/source', path.join(import.meta.dirname, '..', name), ...args], {
        env: { ...process.env, NATIVE_AUTH_SECRET: SECRET, AUTH_SECRET: SECRET, DATABASE: file, PORT: '0' },
        stdio: ['pipe', 'pipe', 'inherit'],
      })
    const root = { username: 'root', password: 'correct horse 17' }
    for (const words of [['migrate'], ['create-admin', root.username]]) {
      const command = run('src/cli/main.ts', [...words, '--database', file])
      command.stdin.end(`${root.password}\n`)
      const [code] = await once(command, 'exit')
      expect(code).toBe(0)
    }
    const server = run('examples/serve.ts', [])
    onTestFinished(() => {
      server.kill()
      rmSync(folder, { recursive: true, force: true })
    })
    const [line] = await once(server.stdout.setEncoding('utf8'), 'data')
    const body = JSON.stringify(root)
    const headers = { 'content-type': 'application/json' }
    const origin = String(line).trim()
    const login = await fetch(`${origin}/auth/login`, { method: 'POST', headers, body })
    const { token } = (await login.json()) as { token: string }
    const home = await fetch(origin, { headers: { authorization: `Bearer ${token}` } })
    expect(await home.text()).toBe('Hello root')
  },
)

test('the README explains every code', () => {
  for (const [code, status] of Object.entries(STATUS))
    expect(readme).toMatch(new RegExp(`\`${code}\` +\\| ${status} +\\|`))
  expect(new NativeAuthError('NATIVE_AUTH_BUSY', 'x')).toBeInstanceOf(Error)
})
