import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'

import { startHub, type TestHub, call, until } from './support/running-hub.ts'

describe('the bundled single-user server', { timeout: 60_000 }, () => {
  let hub: TestHub
  let token: string
  let id: string
  beforeAll(async () => {
    hub = await startHub()
    await hub.call('POST', '/users/ada')
    await hub.call('POST', '/users/ada/server')
    const made = await hub.call('POST', '/users/ada/tokens')
    ;({ token, id } = made.json as unknown as { token: string; id: string })
  }, 60_000)
  afterAll(() => hub?.[Symbol.asyncDispose](), 60_000)

  const page = (where: string, headers: Readonly<Record<string, string>> = {}) =>
    call(`${hub.url}user/ada/${where}`, 'GET', { token: null, headers })
  const openConsole = async () => {
    const socket = new WebSocket(`${hub.url.replace('http', 'ws')}user/ada/console/socket`, {
      headers: { authorization: `token ${token}` },
    })
    const said: string[] = []
    socket.on('message', (data: Buffer) => said.push(data.toString()))
    await once(socket, 'open')
    return { socket, said, run: (code: string) => socket.send(JSON.stringify({ code })) }
  }

  const begin = async (headers: Readonly<Record<string, string>> = {}) => {
    const answer = await page('', headers)
    const state = new URL(answer.headers.get('location') ?? '', hub.url).searchParams.get('state') ?? ''
    const given = answer.headers.get('set-cookie') ?? ''
    return { state, cookie: given.split(';', 1)[0] ?? '', given }
  }

  test('keeps nothing of logins that were only begun, and takes only its own back', async () => {
    const finish = async ({ state, cookie }: { state: string; cookie: string }) =>
      (await page(`oauth_callback?code=x&state=${state}`, { cookie })).text
    const [one, other] = [await begin(), await begin()]
    // As often as one likes: the hub gives nothing for the code.
    for (const _time of [1, 2]) expect(await finish(one)).toContain('did not let you in')
    const forged = one.cookie.replace(/[^.]*$/, Buffer.from('https://evil.example/').toString('base64url'))
    for (const cookie of [other.cookie, forged, '', 'x']) {
      expect(await finish({ ...one, cookie })).toContain('has expired')
    }
  })

  test('gives cookies that stay on https where it was reached so', async () => {
    expect((await begin()).given).not.toContain('Secure')
    const db = new Database(hub.database, { readonly: true })
    const { port } = db.prepare('select port from servers').get() as { port: number }
    db.close()
    const headers = { 'x-forwarded-proto': 'https,http' }
    const { headers: given } = await call(`http://127.0.0.1:${port}/user/ada/`, 'GET', { token: null, headers })
    expect(given.get('set-cookie')).toContain('; Secure')
  })

  test('runs inputs one after the other, however fast they come', async () => {
    const { socket, said, run } = await openConsole()
    run('a = 1; new Promise((done) => setTimeout(done, 100))')
    run('a + 1')
    await until(() => said.length === 2)
    expect(said.map((each) => (JSON.parse(each) as { done: string }).done)).toEqual(['undefined', '2'])
    run('process.exit()')
    await until(() => said.length === 3)
    run('typeof a')
    await until(() => said.length === 4)
    expect((JSON.parse(said[3] ?? '') as { done: string }).done).toBe("'undefined'")
    socket.close()
  })

  test('runs nothing more for one whose right has ended', async () => {
    const { socket, said, run } = await openConsole()
    run('1 + 1')
    await until(() => said.length === 1)
    expect((await hub.call('DELETE', `/users/ada/tokens/${id}`)).status).toBe(204)
    const closed = once(socket, 'close') as Promise<[number]>
    run(`require('node:fs').writeFileSync('written', '')`)
    expect((await closed)[0]).toBe(4403)
    expect(() => readFileSync(path.join(hub.dir, 'data', 'homes', 'ada', 'written'))).toThrow('ENOENT')
  })
})
