import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'

import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { call, startHub, type TestHub } from './support/running-hub.ts'

/** Asks for a websocket and tears the connection down, at a moment that moves with `index`. */
async function breakOff(port: number, path: string, index: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  const lines = ['origin: http://h', 'connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13']
  const cookie = `cookie: jupyterhub-hub-session=${'x'.repeat(43)}`
  socket.write(`GET ${path} HTTP/1.1\r\nhost: h\r\n${lines.join('\r\n')}\r\n${cookie}\r\n\r\n`)
  if (index % 3 > 0) await new Promise((resolve) => setImmediate(resolve))
  socket.resetAndDestroy()
  await once(socket, 'close')
}

/** Sends a body of unknown length for as long as it is taken, at most 64 MB. */
async function sendForEver(port: number, path: string): Promise<{ status: number; sent: number }> {
  const chunk = Buffer.alloc(100_000, 'x')
  let sent = 0
  let over = false
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const call_ = request({ host: '127.0.0.1', port, path, method: 'POST', headers })
  call_.on('error', () => (over = true))
  const answered = once(call_, 'response').then(([response]) => {
    over = true
    return (response as { statusCode: number }).statusCode
  })
  while (!over && sent < 64_000_000) {
    sent += chunk.length
    await Promise.race([new Promise((resolve) => call_.write(chunk, resolve)), answered])
  }
  if (!over) call_.end()
  const status = await answered
  call_.destroy()
  return { status, sent }
}

describe('a hub that is treated badly', { timeout: 60_000 }, () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await startHub()
  }, 60_000)
  afterAll(() => hub?.[Symbol.asyncDispose](), 60_000)

  test('outlives websockets that are torn down while it looks at them', async () => {
    const pid = hub.pid()
    for (const port of [hub.ports.hub, hub.ports.public]) {
      for (let index = 0; index < 60; index += 1) {
        await breakOff(port, index % 2 === 0 ? '/hub/databases/x/socket?proof=abc' : '/hub/nothing', index)
      }
    }
    expect((await call(`${hub.url}hub/health`, 'GET')).status).toBe(200)
    expect(() => process.kill(pid, 0)).not.toThrow()
  })

  test('has single-user servers that outlive them too', async () => {
    await hub.call('POST', '/users/ada')
    expect((await hub.call('POST', '/users/ada/server')).status).toBe(201)
    const db = new Database(hub.database, { readonly: true })
    const { port } = db.prepare('select port from servers').get() as { port: number }
    db.close()
    for (let index = 0; index < 60; index += 1) await breakOff(port, '/user/ada/console/socket', index)
    expect((await call(`http://127.0.0.1:${port}/user/ada/api`, 'GET')).status).toBe(200)
    await hub.call('DELETE', '/users/ada/server')
  })

  test.each(['/hub/api/users/x/tokens', '/hub/api/oauth2/token', '/hub/logout'])(
    'takes no body without end from a stranger: %s',
    async (path) => {
      const { status, sent } = await sendForEver(hub.ports.hub, path)
      expect(status).toBe(413)
      expect(sent).toBeLessThan(32_000_000)
    },
  )

  test('takes no announced body that is too large either', async () => {
    const body = { auth: { username: 'x'.repeat(1_000_001), password: 'y' } }
    expect((await hub.call('POST', '/users/x/tokens', { token: null, body })).status).toBe(413)
  })

  test('answers addresses that nobody can read with 4xx', async () => {
    for (const path of [
      'hub/user/ada/%ff',
      'hub/api/users/%ff',
      'hub/user/%ff/x',
      'hub/%ff',
      'hub/spawn-pending/%ff',
    ]) {
      const { status } = await call(`http://127.0.0.1:${hub.ports.hub}/${path}`, 'GET')
      expect([302, 400, 403, 404, 424]).toContain(status)
    }
  })
})
