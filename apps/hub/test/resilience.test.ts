import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'

import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { isRunning } from '../src/system/processes.ts'
import { holdSocket } from './support/held-socket.ts'
import { FAKE_SERVER } from './support/jupyterhub.ts'
import { call, startHub, type TestHub, until } from './support/running-hub.ts'

const LIMIT = { timeout: 60_000 }
const settings = {
  spawner: { command: FAKE_SERVER, slow_spawn_timeout: 2, start_timeout: 20 },
  limits: { concurrent_spawns: 10, named_servers: 2 },
}

let hub: TestHub
beforeAll(async () => {
  hub = await startHub(settings)
}, 60_000)
afterAll(() => hub?.[Symbol.asyncDispose](), 60_000)

const serverPid = async (name: string, server = ''): Promise<number> => {
  const { json } = await hub.call('GET', `/users/${name}`)
  return (json as unknown as { servers: Record<string, { state: { pid: number } }> }).servers[server]?.state
    .pid as number
}
const proxyPid = () => (JSON.parse(readFileSync(`${hub.dir}/data/proxy.json`, 'utf8')) as { pid: number }).pid
const isReady = async (name: string) => (await hub.call('GET', `/users/${name}`)).json['server'] !== null
const reach = async (path: string) => (await call(`${hub.url}${path}`, 'GET', { token: null })).status
const start = async (name: string) => {
  await hub.call('POST', `/users/${name}`)
  const { status } = await hub.call('POST', `/users/${name}/server`)
  expect([201, 202]).toContain(status)
  await until(() => isReady(name))
}
const runningFakes = () =>
  readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(
        `JUPYTERHUB_API_URL=http://127.0.0.1:${hub.ports.hub}/`,
      )
    } catch {
      return false
    }
  })

describe('a hub that is killed', LIMIT, () => {
  test('leaves servers and open websockets alone; the next one finds them again', async () => {
    await start('ann')
    using socket = await holdSocket(`${hub.url}user/ann/socket`)
    const before = { server: await serverPid('ann'), proxy: proxyPid() }
    await hub.end('SIGKILL')
    expect(await socket.echo()).toBe('ok')
    expect(await reach('user/ann/')).toBe(200)
    expect(await reach('hub/health')).toBe(503)
    await hub.start()
    expect(await socket.echo()).toBe('ok')
    expect(socket.isOpen).toBe(true)
    expect({ server: await serverPid('ann'), proxy: proxyPid() }).toEqual(before)
    expect(await isReady('ann')).toBe(true)
    expect((await hub.call('DELETE', '/users/ann/server')).status).toBe(204)
    expect(await reach('user/ann/')).toBe(302)
  })

  test('in the middle of a start leaves no process that nobody knows', async () => {
    await hub.call('POST', '/users/slow-ben')
    void hub.call('POST', '/users/slow-ben/server').catch(() => {})
    await until(() => runningFakes().length === 1)
    await hub.end('SIGKILL')
    expect(runningFakes()).toHaveLength(1)
    await hub.start()
    expect(runningFakes()).toHaveLength(0)
    expect((await hub.call('GET', '/users/slow-ben')).json).toMatchObject({ pending: null, servers: {} })
    await start('slow-ben')
    await hub.call('DELETE', '/users/slow-ben/server')
  })

  test('finds out that a server ended while nobody looked', async () => {
    await start('cid')
    const pid = await serverPid('cid')
    await hub.end('SIGKILL')
    process.kill(pid, 'SIGKILL')
    await hub.start()
    expect(await isReady('cid')).toBe(false)
    expect(await reach('user/cid/')).toBe(302)
  })

  test('and is told to stop takes proxy and servers with it', async () => {
    await start('dot')
    const proxy = proxyPid()
    expect(await hub.end('SIGTERM')).toBe(0)
    expect(runningFakes()).toEqual([])
    expect(isRunning({ pid: proxy })).toBe(false)
    await hub.start()
  })
})

describe('a proxy', LIMIT, () => {
  test('that is killed comes back with its routes', async () => {
    await start('eli')
    const before = proxyPid()
    process.kill(before, 'SIGKILL')
    await until(async () => {
      try {
        return (await reach('user/eli/')) === 200
      } catch {
        return false
      }
    })
    expect(proxyPid()).not.toBe(before)
    await until(async () => (await hub.call('GET', '/users/eli')).status === 200)
    await hub.call('DELETE', '/users/eli/server')
  })

  test('gets lost routes back and loses those of nobody', async () => {
    await start('fan')
    const { token } = JSON.parse(readFileSync(`${hub.dir}/data/proxy.json`, 'utf8')) as { token: string }
    const routes = `http://127.0.0.1:${hub.ports.api}/api/routes`
    await call(`${routes}/user/fan`, 'DELETE', { token })
    const stranger = { target: 'http://127.0.0.1:1', jupyterhub: true }
    await call(`${routes}/user/nobody`, 'POST', { token, body: stranger })
    await call(`${routes}/of-others`, 'POST', { token, body: { target: 'http://127.0.0.1:1' } })
    expect(await reach('user/fan/')).toBe(302)
    expect((await hub.call('POST', '/proxy')).status).toBe(200)
    expect(await reach('user/fan/')).toBe(200)
    expect(Object.keys((await hub.call('GET', '/proxy')).json).sort()).toEqual(['/', '/of-others/', '/user/fan/'])
    await hub.call('DELETE', '/users/fan/server')
  })
})

describe('a server', LIMIT, () => {
  test('that dies is noticed, and can be started again', async () => {
    await start('gil')
    process.kill(await serverPid('gil'), 'SIGKILL')
    await until(async () => !(await isReady('gil')))
    await until(async () => (await reach('user/gil/')) === 302)
    expect((await hub.call('POST', '/users/gil/server')).status).toBe(201)
    await hub.call('DELETE', '/users/gil/server')
  })

  test('that two start at once runs once', async () => {
    await hub.call('POST', '/users/hue')
    const answers = await Promise.all([1, 2, 3].map(() => hub.call('POST', '/users/hue/server')))
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(2)
    expect(runningFakes()).toHaveLength(1)
    await hub.call('DELETE', '/users/hue/server')
  })

  test('can be given up while it starts', async () => {
    await hub.call('POST', '/users/never-ike')
    const first = hub.call('POST', '/users/never-ike/server')
    await until(() => runningFakes().length === 1)
    expect((await hub.call('DELETE', '/users/never-ike/server', { body: { cancel: true } })).status).toBe(204)
    expect((await first).json).toMatchObject({ message: 'The start was cancelled' })
    expect(runningFakes()).toEqual([])
  })

  test('starts although its first reader went away', async () => {
    await hub.call('POST', '/users/slow-jon')
    const first = hub.call('POST', '/users/slow-jon/server')
    await until(async () => (await hub.call('GET', '/users/slow-jon')).json['pending'] === 'spawn')
    const leave = new AbortController()
    const headers = { authorization: 'token tester-token-0123456789abcdef01' }
    const reader = await fetch(`${hub.url}hub/api/users/slow-jon/server/progress`, { headers, signal: leave.signal })
    await reader.body?.getReader().read()
    leave.abort()
    expect((await first).status).toBe(202)
    await until(() => isReady('slow-jon'))
    await hub.call('DELETE', '/users/slow-jon/server')
  })

  test('one of fifty at once gets a place only within the limit', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `never-crowd-${index}`)
    await hub.call('POST', '/users', { body: { usernames: names } })
    const answers = await Promise.all(names.map((name) => hub.call('POST', `/users/${name}/server`)))
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(40)
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^\d+$/)
    const begun = names.filter((_, index) => answers[index]?.status !== 429)
    expect(begun).toHaveLength(10)
    const body = { cancel: true }
    await Promise.all(begun.map((name) => hub.call('DELETE', `/users/${name}/server`, { body })))
    await until(() => runningFakes().length === 0)
  })

  test.each(['a@b', 'a b', 'Ünï', 'PQR', 'x%2Fy', '🐙', 'user', 'user2', `${'n'.repeat(255)}`, "o'neil", 'a-b~c.d'])(
    'may belong to %j',
    async (name) => {
      const path = encodeURIComponent(name)
      expect((await hub.call('POST', `/users/${path}`)).status).toBe(201)
      expect((await hub.call('POST', `/users/${path}/server`)).status).toBe(201)
      const { json } = await hub.call('GET', `/users/${path}`)
      const prefix = json['server'] as string
      const reached = await call(`${hub.url.slice(0, -1)}${prefix}here`, 'GET', { token: null })
      expect(reached.json).toMatchObject({ path: `${prefix}here`, prefix })
      expect((await hub.call('DELETE', `/users/${path}/server`)).status).toBe(204)
    },
  )

  test.each(['..', '.', 'a/b', '\u0007', 'n'.repeat(256), ' x'])('cannot belong to %j', async (name) => {
    const { status } = await hub.call('POST', '/users', { body: { usernames: [name] } })
    expect(status).toBe(400)
  })
})

describe('a database that another program holds', LIMIT, () => {
  test('is read from; what must be written is refused with a reason, and works again afterwards', async () => {
    await hub.call('POST', '/users/kai')
    const other = new Database(hub.database)
    other.exec('begin immediate')
    try {
      expect((await hub.call('GET', '/users/kai')).status).toBe(200)
      const refused = await Promise.all([1, 2, 3].map((n) => hub.call('POST', `/users/locked-${n}`)))
      for (const each of refused) {
        expect(each).toMatchObject({ status: 503, json: { message: expect.stringContaining('locked') as string } })
        expect(each.headers.get('retry-after')).toBeTruthy()
      }
      const ready = await call(`${hub.url}hub/ready`, 'GET')
      expect(ready).toMatchObject({
        status: 503,
        json: { ready: false, checks: { database: { ok: false }, proxy: { ok: true } } },
      })
      expect((await call(`${hub.url}hub/health`, 'GET')).status).toBe(200)
      expect((await hub.call('POST', '/users/kai/server')).status).toBe(503)
    } finally {
      other.close()
    }
    expect((await hub.call('POST', '/users/locked-1')).status).toBe(201)
    expect((await call(`${hub.url}hub/ready`, 'GET')).status).toBe(200)
  })

  test('when a server is just ready: the process ends rather than running unknown', async () => {
    await hub.call('POST', '/users/slow-lou')
    const first = hub.call('POST', '/users/slow-lou/server')
    await until(() => runningFakes().length === 1)
    const other = new Database(hub.database)
    other.exec('begin immediate')
    await until(() => runningFakes().length === 0)
    other.close()
    expect([202, 503]).toContain((await first).status)
    await until(
      async () => Object.keys((await hub.call('GET', '/users/slow-lou')).json['servers'] as object).length === 0,
    )
    const reader = new Database(hub.database, { readonly: true })
    await until(() => reader.prepare('select * from servers').all().length === 0)
    reader.close()
  })
})

describe('a second hub', LIMIT, () => {
  test('in the same folder is refused', async () => {
    const second = await hub.command(['serve'])
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining('already works in') as string })
  })

  test.each([
    ['public', 'port'],
    ['hub', 'hub.port'],
    ['api', 'proxy.api_port'],
  ] as const)('finds the %s port taken and names the setting %s', async (which, setting) => {
    await using stopped = await startHub(settings)
    await stopped.end('SIGTERM')
    const blocker = createServer().listen(stopped.ports[which], '127.0.0.1')
    await once(blocker, 'listening')
    const refused = await stopped.command(['serve'])
    blocker.close()
    await once(blocker, 'close')
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining(`change \`${setting}\``) as string })
    expect(refused.err).toContain(String(stopped.ports[which]))
  })
})
