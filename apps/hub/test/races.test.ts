import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import path from 'node:path'

import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { checkRoutes } from '../src/proxy/check-routes.ts'
import type { Route, RouteTable } from '../src/proxy/routes.ts'
import { findUser, type User } from '../src/store/users.ts'
import { type InProcessHub, startInProcess } from './support/in-process-hub.ts'
import { FAKE_SERVER } from './support/jupyterhub.ts'
import { call, startHub, until } from './support/running-hub.ts'

const LIMIT = { timeout: 60_000 }

describe('two things at once', LIMIT, () => {
  let inside: InProcessHub
  beforeAll(async () => {
    inside = await startInProcess({
      // No look at the servers comes between: what holds must hold without it.
      spawner: { command: FAKE_SERVER, poll_interval: 600, slow_spawn_timeout: 20 },
      limits: { named_servers: 2 },
    })
  }, 60_000)
  afterAll(() => inside?.[Symbol.asyncDispose](), 60_000)

  const hub = () => inside.running.hub
  const api = (method: string, where: string, options: { readonly body?: unknown; readonly token?: string } = {}) =>
    call(`${inside.running.url}hub/api${where}`, method, options)
  const make = async (name: string): Promise<User> => {
    expect((await api('POST', `/users/${name}`)).status).toBe(201)
    return (await findUser(hub().db, name)) as User
  }
  const pragma = (text: string) => sql.raw(`pragma ${text}`).execute(hub().db)
  const rows = async () => (await hub().db.selectFrom('servers').selectAll().execute()).length

  test('a user who is being deleted gets no new server, and leaves no process', async () => {
    const { id } = await make('stubborn-ann')
    expect((await api('POST', '/users/stubborn-ann/server')).status).toBe(201)
    const deleted = api('DELETE', '/users/stubborn-ann')
    await until(() => hub().servers.table.phase(id, '') === 'stop')
    const refused = await api('POST', '/users/stubborn-ann/servers/lab')
    expect(refused).toMatchObject({ status: 400, json: { message: 'stubborn-ann is being changed, please wait' } })
    expect((await api('PATCH', '/users/stubborn-ann', { body: { admin: true } })).status).toBe(400)
    expect((await deleted).status).toBe(204)
    expect(
      hub()
        .servers.table.all()
        .filter(({ user }) => user.id === id),
    ).toEqual([])
  })

  test('a user with the key of a deleted one has nothing of his', async () => {
    const { id } = await make('bad-bob')
    expect((await api('POST', '/users/bad-bob/server')).status).toBe(500)
    expect((await api('GET', '/users/bad-bob/server/progress')).text).toContain('failed')
    expect((await api('DELETE', '/users/bad-bob')).status).toBe(204)
    expect((await make('cid')).id).toBe(id)
    expect((await api('GET', '/users/cid/server/progress')).status).toBe(404)
  })

  test.each(['deleted', 'revoked'] as const)(
    'a call whose token was %s before its body came is refused',
    async (how) => {
      const name = `old-${how}`
      const { id } = await make(name)
      const token = (await api('POST', `/users/${name}/tokens`)).json as unknown as { token: string; id: string }
      const direct = `http://127.0.0.1:${hub().config.hub.port}/hub/api/users/${name}`
      const late = request(`${direct}/server`, {
        method: 'POST',
        headers: { authorization: `token ${token.token}`, 'content-length': 2 },
      })
      const answered = once(late, 'response') as Promise<[IncomingMessage]>
      late.write('{')
      await until(() => (late.socket?.bytesWritten ?? 0) > 100)
      // Whoever asks now is answered after the hub has seen the head of the other call.
      expect((await call(direct, 'GET')).status).toBe(200)
      const gone = { deleted: `/users/${name}`, revoked: `/users/${name}/tokens/${token.id}` }[how]
      expect((await api('DELETE', gone)).status).toBe(204)
      const heir = await make(`heir-${how}`)
      expect(heir.id === id).toBe(how === 'deleted')
      late.end('}')
      const [answer] = await answered
      answer.resume()
      expect(answer.statusCode).toBe(403)
      expect(await rows()).toBe(0)
      expect(hub().servers.table.activeOf(id)).toEqual([])
    },
  )

  test('a start that was asked for a user who is gone is refused, whoever has his key now', async () => {
    const gone = await make('gone')
    expect((await api('DELETE', '/users/gone')).status).toBe(204)
    const heir = await make('heiress')
    expect(heir.id).toBe(gone.id)
    await hub().servers.start(gone, '', {})
    await hub().servers.settled(gone.id, '', 20_000)
    expect(() => hub().servers.throwFailure(gone.id, '')).toThrow('gone does not exist any more')
    expect(await rows()).toBe(0)
    expect((await api('GET', '/users/heiress/tokens')).json['api_tokens']).toEqual([])
    // His own start is not in the way of anybody's.
    expect((await api('POST', '/users/heiress/server')).status).toBe(201)
    expect((await api('DELETE', '/users/heiress/server')).status).toBe(204)
  })

  test('a name that cannot be had costs no token', async () => {
    await make('dan')
    await make('dora')
    const token = (await api('POST', '/users/dan/tokens')).json['token'] as string
    const other = await findUser(hub().db, 'dora')
    await hub()
      .db.updateTable('users')
      .set({ name: 'Dora' })
      .where('id', '=', other?.id ?? 0)
      .execute()
    await sql`create unique index users_lower on users (lower(name))`.execute(hub().db)
    expect((await api('PATCH', '/users/dan', { body: { name: 'dora' } })).status).toBe(409)
    await sql`drop index users_lower`.execute(hub().db)
    expect((await api('GET', '/user', { token })).status).toBe(200)
    expect((await api('PATCH', '/users/dan', { body: { name: 'dieter' } })).status).toBe(200)
    expect((await api('GET', '/user', { token })).status).toBe(403)
  })

  test('a start takes back first what a stop had to leave behind', async () => {
    await make('eve')
    await api('POST', '/users/eve/server')
    const { env } = (await call(`${inside.running.url}user/eve/`, 'GET', { token: null })).json as unknown as {
      env: Record<string, string>
    }
    const token = env['JUPYTERHUB_API_TOKEN'] as string
    await pragma('query_only = on')
    expect((await api('DELETE', '/users/eve/server')).status).toBe(204)
    expect(await rows()).toBe(1)
    expect((await api('POST', '/users/eve/server')).status).toBe(503)
    await pragma('query_only = off')
    expect((await api('POST', '/users/eve/server')).status).toBe(201)
    expect((await api('GET', '/user', { token })).status).toBe(403)
    expect(await rows()).toBe(1)
    expect((await api('DELETE', '/users/eve/server')).status).toBe(204)
    expect(await rows()).toBe(0)
  })

  test('a named server that is being forgotten does not start', async () => {
    const user = await make('fay')
    expect((await api('POST', '/users/fay/servers/lab')).status).toBe(201)
    expect((await api('DELETE', '/users/fay/servers/lab')).status).toBe(204)
    const other = new Database(path.join(inside.dir, 'data', 'jupyterhub.sqlite'))
    other.exec('begin immediate')
    const forgotten = hub().servers.forget(user, 'lab')
    try {
      await until(() => hub().servers.table.phase(user.id, 'lab') === 'stop')
      await expect(hub().servers.start(user, 'lab', {})).rejects.toMatchObject({ status: 400 })
    } finally {
      other.close()
    }
    await forgotten
    expect(hub().servers.table.find(user.id, 'lab')).toBeUndefined()
  })

  test('a server whose rows were removed while it started ends', async () => {
    const { id } = await make('slow-gus')
    const started = api('POST', '/users/slow-gus/server')
    await until(async () => (await rows()) === 1)
    await hub().db.deleteFrom('servers').execute()
    expect(await started).toMatchObject({
      status: 500,
      json: { message: 'The rows of the server were removed meanwhile' },
    })
    expect(hub().servers.table.phase(id, '')).toBe('stopped')
  })

  test('a comparison of routes sees servers that come and go meanwhile', async () => {
    const routes = hub().routes()
    const own: [string, Route] = ['/', (await routes.all())['/'] as Route]
    const route = { target: 'http://127.0.0.1:1', jupyterhub: true, user: 'hue', server_name: '' }
    const without = new Map([own])
    const withOne = new Map([own, ['/user/hue/', route] as [string, Route]])
    const check = async (before: Map<string, Route>, meanwhile: Partial<RouteTable>) => {
      let table = before
      const change = (next: Map<string, Route>) => (table = next)
      const seen = {
        all: () => routes.all(),
        set: (where: string, to: Route) => routes.set(where, to),
        remove: (where: string) => routes.remove(where),
        ...meanwhile,
      }
      return {
        change,
        run: () =>
          checkRoutes(
            seen as RouteTable,
            () => table,
            () => {},
          ),
      }
    }
    const coming = await check(without, {
      async all() {
        coming.change(withOne)
        await routes.set('/user/hue/', route)
        return routes.all()
      },
    })
    await coming.run()
    expect(await routes.all()).toHaveProperty('/user/hue')
    await routes.remove('/user/hue/')
    const going = await check(withOne, {
      async set(where, to) {
        going.change(without)
        await routes.set(where, to)
      },
    })
    await going.run()
    expect(await routes.all()).not.toHaveProperty('/user/hue')
  })
})

describe('a hub', LIMIT, () => {
  const settings = { spawner: { command: FAKE_SERVER, interrupt_timeout: 10 } }

  test('that is stopping starts nothing', async () => {
    await using hub = await startHub(settings)
    const direct = (method: string, where: string) => call(`http://127.0.0.1:${hub.ports.hub}/hub/api${where}`, method)
    await direct('POST', '/users/stubborn-ida')
    await direct('POST', '/users/jo')
    expect((await direct('POST', '/users/stubborn-ida/server')).status).toBe(201)
    const ended = hub.end('SIGTERM')
    await until(async () => (await direct('GET', '/users/stubborn-ida')).json['pending'] === 'stop')
    expect((await direct('POST', '/users/jo/server')).status).toBe(503)
    expect(await ended).toBe(0)
  })

  test('whose proxy has just been killed brings a server up all the same', async () => {
    await using hub = await startHub(settings)
    const direct = (method: string, where: string) => call(`http://127.0.0.1:${hub.ports.hub}/hub/api${where}`, method)
    await direct('POST', '/users/kim')
    const proxy = JSON.parse(readFileSync(`${hub.dir}/data/proxy.json`, 'utf8')) as { pid: number }
    process.kill(proxy.pid, 'SIGKILL')
    expect((await direct('POST', '/users/kim/server')).status).toBe(201)
    await until(
      async () => (await call(`${hub.url}user/kim/`, 'GET', { token: null }).catch(() => null))?.status === 200,
    )
  })

  test('that comes back answers only when it knows its servers', async () => {
    await using hub = await startHub(settings)
    await hub.call('POST', '/users/lea')
    expect((await hub.call('POST', '/users/lea/server')).status).toBe(201)
    const { json } = await hub.call('GET', '/users/lea')
    const { pid } = (json as unknown as { servers: Record<string, { state: { pid: number } }> }).servers['']?.state ?? {
      pid: 0,
    }
    await hub.end('SIGKILL')
    // It runs, and does not answer: a busy one looks the same.
    process.kill(pid, 'SIGSTOP')
    const started = hub.start()
    const first = async () =>
      call(`http://127.0.0.1:${hub.ports.hub}/hub/api/users/lea/server`, 'POST').catch(() => undefined)
    let answer = await first()
    while (answer === undefined) answer = await first()
    expect(answer).toMatchObject({ status: 400, json: { message: 'lea is already running' } })
    process.kill(pid, 'SIGCONT')
    await started
    expect((await hub.call('GET', '/users/lea')).json).toMatchObject({ server: '/user/lea/' })
  })

  test('whose container engine is away starts, and says so of each server', async () => {
    const socket = '/nonexistent/docker.sock'
    await using hub = await startHub({
      spawner: { kind: 'docker', command: 'x' },
      docker: { image: 'x', socket },
      hub: { connect_host: '127.0.0.1' },
    })
    await hub.call('POST', '/users/max')
    expect(await hub.call('POST', '/users/max/server')).toMatchObject({
      status: 500,
      json: { message: expect.stringContaining('The container could not be started') as string },
    })
  })
})
