import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { serve } from '@hono/node-server'
import { expect, test, vi } from 'vitest'

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

test('the README shows the example as it is', () => {
  const example = readFileSync(path.join(import.meta.dirname, '../examples/quick-start.ts'), 'utf8')
  expect(readme).toContain(example.trim())
})

test('the README explains every code', () => {
  for (const [code, status] of Object.entries(STATUS))
    expect(readme).toMatch(new RegExp(`\`${code}\` +\\| ${status} +\\|`))
  expect(new NativeAuthError('NATIVE_AUTH_BUSY', 'x')).toBeInstanceOf(Error)
})
