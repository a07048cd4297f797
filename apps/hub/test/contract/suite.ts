import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Answer, call, type CallOptions, until } from '../support/running-hub.ts'

/** A hub behind its proxy, ours or the real one. */
export interface HubUnderTest extends AsyncDisposable {
  readonly url: string
  readonly database: string
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
}

/**
 * What a hub answers where the real one is wrong: each use of it is one listed correction.
 *
 * @see the README, "Where it differs from JupyterHub"
 */
export type Corrected = <Value>(difference: { readonly jupyterhub: Value; readonly ours: Value }) => Value

/** The recorded REST contract, row by row, over HTTP through the proxy. */
/** Starting and stopping takes seconds on a busy machine. */
const LIMIT = { timeout: 60_000 }

export function contractSuite(start: () => Promise<HubUnderTest>, corrected: Corrected): void {
  let hub: HubUnderTest

  beforeAll(async () => {
    hub = await start()
  }, 60_000)
  afterAll(() => hub?.[Symbol.asyncDispose](), 60_000)

  const api = (method: string, path: string, options?: CallOptions) => hub.call(method, path, options)
  const make = async (name: string) => expect((await api('POST', `/users/${name}`)).status).toBe(201)
  const tokenOf = async (name: string, body: object = {}) =>
    (await api('POST', `/users/${name}/tokens`, { body })).json['token'] as string
  const stopped = (name: string) =>
    until(async () => Object.keys((await api('GET', `/users/${name}`)).json['servers'] as object).length === 0)
  const ready = (name: string) => until(async () => (await api('GET', `/users/${name}`)).json['server'] !== null)

  const allReady = (name: string) =>
    until(async () => {
      const { servers } = (await api('GET', `/users/${name}`)).json as unknown as {
        servers: Record<string, { ready: boolean }>
      }
      return Object.values(servers).every((server) => server.ready)
    })

  describe('the root', () => {
    test.each(['', '/'])('tells the version at %j, whatever the token', async (path) => {
      for (const token of [null, 'wrong']) {
        const answer = await api('GET', path, { token })
        expect(answer).toMatchObject({ status: 200, json: { version: '3.0.0' } })
        expect(answer.headers.get('x-jupyterhub-version')).toBe('3.0.0')
      }
    })

    test('answers health without a body', async () => {
      const answer = await call(`${hub.url}hub/health`, 'GET', { token: null })
      expect(answer).toMatchObject({ status: 200, text: '' })
      expect(answer.headers.get('content-type')).toContain('text/html')
      expect((await fetch(`${hub.url}hub/health`, { method: 'HEAD' })).status).toBe(200)
    })

    test('marks JSON answers as such, unfit to be shown, with an ETag', async () => {
      const { headers } = await api('GET', '/user')
      expect(headers.get('content-type')).toContain('application/json')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('etag')).toBeTruthy()
    })

    test('knows no HEAD, and answers unknown paths as JSON', async () => {
      expect((await fetch(`${hub.url}hub/api/user`, { method: 'HEAD' })).status).toBe(405)
      expect(await api('GET', '/nothing')).toMatchObject({ status: 404, json: { status: 404 } })
    })

    test('takes an outsider to the login page', async () => {
      expect((await call(hub.url, 'GET', { token: null })).headers.get('location')).toMatch(/\/hub\/$/)
      const door = await call(`${hub.url}hub/`, 'GET', { token: null })
      expect(door.status).toBe(302)
      expect(door.headers.get('location')).toContain('/hub/login?next=')
    })
  })

  describe('tokens of callers', () => {
    test.each([null, 'wrong'])('refuses the token %j with 403, naming the scopes that would do', async (token) => {
      expect(await api('GET', '/users', { token })).toMatchObject({
        status: 403,
        json: { status: 403, message: expect.stringContaining('list:users') as string },
      })
      expect(await api('GET', '/user', { token })).toMatchObject({ status: 403, json: { message: 'Forbidden' } })
    })

    test.each(['token', 'Bearer', 'TOKEN', 'bearer'])('accepts the scheme %s', async (scheme) => {
      const headers = { authorization: `${scheme} tester-token-0123456789abcdef01` }
      expect((await api('GET', '/user', { token: null, headers })).status).toBe(200)
    })

    test('never accepts a token in the address', async () => {
      expect((await api('GET', '/user?token=tester-token-0123456789abcdef01', { token: null })).status).toBe(403)
    })

    test('lets a service without a role do nothing but ask who it is', async () => {
      const token = 'powerless-token-0123456789abcdef'
      expect(await api('GET', '/user', { token })).toMatchObject({
        status: 200,
        json: { kind: 'service', name: 'powerless', scopes: [] },
      })
      for (const path of ['/users', '/info', '/proxy', '/services', '/groups']) {
        const { status } = await api('GET', path, { token })
        expect(status).toBe(403)
      }
    })

    test('shows a reader only what its scopes show', async () => {
      await make('seen')
      const { json } = await api('GET', '/users?name_filter=seen', { token: 'reader-token-0123456789abcdef0123' })
      expect(Object.keys(json[0] as object).sort()).toEqual(['admin', 'kind', 'name'])
    })
  })

  describe('users', LIMIT, () => {
    test('are created, read and deleted', async () => {
      const made = await api('POST', '/users/bea')
      expect(made).toMatchObject({
        status: 201,
        json: { kind: 'user', name: 'bea', admin: false, roles: ['user'], groups: [], server: null, pending: null },
      })
      expect(made.json).toMatchObject({ servers: {}, auth_state: null })
      expect(made.json['created']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
      expect(await api('POST', '/users/bea')).toMatchObject({
        status: 409,
        json: { message: 'User bea already exists' },
      })
      expect((await api('GET', '/users/bea')).status).toBe(200)
      expect(await api('DELETE', '/users/bea')).toMatchObject({ status: 204, text: '' })
      expect(await api('GET', '/users/bea')).toMatchObject({ status: 404, json: { message: 'Not Found' } })
      expect((await api('DELETE', '/users/bea')).status).toBe(404)
    })

    test('keep the case of a name in the path', async () => {
      await make('Alice')
      await make('alice')
      expect((await api('GET', '/users/Alice')).json).toMatchObject({ name: 'Alice' })
      for (const name of ['Alice', 'alice']) await api('DELETE', `/users/${name}`)
    })

    test('may have odd names, but not bad ones', async () => {
      await make('a%40b')
      expect((await api('GET', '/users/a%40b')).json).toMatchObject({ name: 'a@b' })
      await api('DELETE', '/users/a%40b')
      expect((await api('POST', '/users/%20x%20')).status).toBe(400)
    })

    test('are created several at once', async () => {
      const made = await api('POST', '/users', { body: { usernames: ['c1', 'c2', 'seen'] } })
      expect(made.status).toBe(201)
      expect((made.json as readonly { name: string }[]).map(({ name }) => name)).toEqual(['c1', 'c2'])
      expect(await api('POST', '/users', { body: { usernames: ['c1', 'c2'] } })).toMatchObject({
        status: 409,
        json: { message: 'All 2 users already exist' },
      })
      expect((await api('POST', '/users', { body: { usernames: [] } })).status).toBe(400)
      expect(await api('POST', '/users', { body: '{nonsense' })).toMatchObject({
        status: 400,
        json: { message: 'Invalid JSON in body of request' },
      })
    })

    test('are renamed and promoted', async () => {
      await make('dan')
      expect((await api('PATCH', '/users/dan', { body: { admin: true } })).json).toMatchObject({ admin: true })
      expect((await api('GET', '/users/dan')).json).toMatchObject({ roles: ['user', 'admin'] })
      expect((await api('PATCH', '/users/dan', { body: { name: 'dora' } })).json).toMatchObject({ name: 'dora' })
      expect((await api('PATCH', '/users/dora', { body: { name: 'seen' } })).status).toBe(400)
      expect((await api('PATCH', '/users/dora', { body: { colour: 'red' } })).status).toBe(400)
      expect((await api('PATCH', '/users/dan', { body: {} })).status).toBe(404)
    })

    test('become administrators by administrators alone', async () => {
      const token = 'usher-token-0123456789abcdef0123'
      expect((await api('POST', '/users/dov', { token })).status).toBe(201)
      const { status } = await api('PATCH', '/users/dov', { token, body: { admin: true } })
      expect(status).toBe(corrected({ jupyterhub: 200, ours: 403 }))
      await api('DELETE', '/users/dov')
    })

    test('are listed in pages, by state and by part of a name', async () => {
      const plain = await api('GET', '/users')
      expect(Array.isArray(plain.json)).toBe(true)
      const headers = { accept: 'application/jupyterhub-pagination+json' }
      const paged = await api('GET', '/users?limit=2&offset=1', { headers })
      expect(paged.json['items']).toHaveLength(2)
      expect(paged.json['_pagination']).toMatchObject({
        offset: 1,
        limit: 2,
        total: (plain.json as readonly unknown[]).length,
      })
      expect(paged.json).toMatchObject({ _pagination: { next: { offset: 3, limit: 2 } } })
      const { next } = paged.json['_pagination'] as unknown as { next: { url: string } }
      expect(next.url).toMatch(new RegExp(`^${hub.url}hub/api/users\\?`))
      expect((await call(next.url, 'GET', { headers })).json).toMatchObject({ _pagination: { offset: 3, limit: 2 } })
      expect((await api('GET', '/users?state=ready')).json).toEqual([])
      expect((await api('GET', '/users?state=inactive&limit=1')).json).toHaveLength(1)
      expect((await api('GET', '/users?state=odd')).status).toBe(400)
      expect((await api('GET', '/users?limit=x')).status).toBe(400)
      expect((await api('GET', '/users?name_filter=c')).json).toHaveLength(2)
    })

    test('report activity', async () => {
      const now = new Date(Date.now() + 1000).toISOString()
      expect((await api('POST', '/users/seen/activity', { body: { last_activity: now } })).status).toBe(200)
      expect((await api('GET', '/users/seen')).json['last_activity']).toContain(now.slice(0, 19))
      expect((await api('POST', '/users/seen/activity', { body: {} })).status).toBe(400)
      const body = { servers: { absent: { last_activity: now } } }
      expect((await api('POST', '/users/seen/activity', { body })).status).toBe(400)
    })
  })

  describe('a token that is limited to one server', LIMIT, () => {
    beforeAll(async () => {
      await make('sid')
      expect([201, 202]).toContain((await api('POST', '/users/sid/servers/lab')).status)
      await allReady('sid')
    }, 60_000)
    afterAll(async () => {
      await api('DELETE', '/users/sid/servers/lab')
      await stopped('sid')
      await api('DELETE', '/users/sid')
    }, 60_000)
    const limited = async (...scopes: string[]) => ({ token: await tokenOf('sid', { scopes }) })

    test('reads that one, and whose it is', async () => {
      const one = await limited('read:servers!server=sid/lab')
      const { status, json } = await api('GET', '/users/sid', one)
      expect(status).toBe(200)
      expect(Object.keys(json).sort()).toEqual(['admin', 'groups', 'kind', 'name', 'servers'])
      expect(Object.keys(json['servers'] as object)).toEqual(['lab'])
      expect((await api('GET', '/users/sid/servers/lab/progress', one)).status).toBe(200)
      expect((await api('GET', '/users/sid/server/progress', one)).status).toBe(404)
      const other = await limited('read:servers!server=sid/')
      expect((await api('GET', '/users/sid/servers/lab/progress', other)).status).toBe(404)
      expect((await api('GET', '/users/sid', other)).json['servers']).toBeUndefined()
    })

    test('starts and stops that one alone', async () => {
      const one = await limited('servers!server=sid/')
      expect((await api('POST', '/users/sid/servers/lab', one)).status).toBe(404)
      expect((await api('DELETE', '/users/sid/servers/lab', one)).status).toBe(404)
      expect((await api('DELETE', '/users/sid/server', one)).status).toBe(204)
    })

    test.each(['', 'lab'])('%j reaches nothing else of its user', async (server) => {
      const one = await limited(...['tokens', 'users:activity'].map((scope) => `${scope}!server=sid/${server}`))
      expect((await api('GET', '/users/sid/tokens', one)).status).toBe(404)
      expect((await api('GET', '/users/sid/tokens/a1', one)).status).toBe(404)
      expect((await api('DELETE', '/users/sid/tokens/a1', one)).status).toBe(404)
      expect((await api('POST', '/users/sid/tokens', one)).status).toBe(403)
      const body = { last_activity: new Date().toISOString() }
      expect((await api('POST', '/users/sid/activity', { ...one, body })).status).toBe(404)
      const { json } = await api('GET', '/users/sid', one)
      expect(Object.keys(json).sort()).toEqual(['admin', 'groups', 'kind', 'name'])
    })
  })

  describe("a user's tokens", LIMIT, () => {
    test('are made, listed and revoked; the next use after that is refused', async () => {
      await make('eve')
      const made = await api('POST', '/users/eve/tokens', { body: { note: 'a note', expires_in: 600 } })
      expect(made).toMatchObject({
        status: 201,
        json: {
          user: 'eve',
          kind: 'api_token',
          roles: [],
          note: 'a note',
          session_id: null,
          oauth_client: 'JupyterHub',
        },
      })
      const { id, token } = made.json as unknown as { id: string; token: string }
      expect(id).toMatch(/^a\d+$/)
      expect(token).toMatch(/^[0-9a-f]{32}$/)
      expect((await api('GET', '/user', { token })).json).toMatchObject({ name: 'eve', kind: 'user' })
      const list = await api('GET', '/users/eve/tokens', { token })
      expect(list.json).toMatchObject({ api_tokens: [{ id, note: 'a note' }] })
      expect(list.text).not.toContain(token)
      expect((await api('GET', `/users/eve/tokens/${id}`)).json).toMatchObject({ id })
      expect((await api('DELETE', `/users/eve/tokens/${id}`)).status).toBe(204)
      expect((await api('GET', '/user', { token })).status).toBe(403)
      for (const absent of [id, 'a999999', 'x1', 'nonsense']) {
        const { status } = await api('GET', `/users/eve/tokens/${absent}`)
        expect(status).toBe(404)
      }
    })

    test('need no body, and carry the rights of their owner', async () => {
      const { json } = await api('POST', '/users/eve/tokens')
      expect(json['scopes']).toContain('read:users!user=eve')
      const token = json['token'] as string
      expect((await api('GET', '/users/eve', { token })).status).toBe(200)
      expect(await api('GET', '/users/seen', { token })).toMatchObject({
        status: 404,
        json: { message: 'No access to resources or resources not found' },
      })
      expect((await api('GET', '/users', { token })).status).toBe(403)
    })

    test('can be narrower than their owner, never wider', async () => {
      const token = await tokenOf('eve', { scopes: ['read:users:name!user'] })
      expect(Object.keys((await api('GET', '/users/eve', { token })).json).sort()).toEqual([
        'admin',
        'groups',
        'kind',
        'name',
      ])
      expect((await api('POST', '/users/eve/server', { token })).status).toBe(403)
      expect((await api('POST', '/users/eve/tokens', { body: { scopes: ['admin:users'] } })).status).toBe(400)
    })

    test('are refused for nonsense', async () => {
      const bad = corrected({ jupyterhub: 500, ours: 400 })
      expect((await api('POST', '/users/eve/tokens', { body: { scopes: ['no:such'] } })).status).toBe(bad)
      expect((await api('POST', '/users/eve/tokens', { body: { expires_in: -1 } })).status).toBe(bad)
      expect((await api('POST', '/users/nobody/tokens')).status).toBe(403)
    })

    test('can be had for a password', async () => {
      await api('POST', '/users/fay')
      const auth = { username: 'fay', password: 'wrong password' }
      expect((await api('POST', '/users/fay/tokens', { token: null, body: { auth } })).status).toBe(403)
      expect((await api('POST', '/users/fay/tokens', { token: null })).status).toBe(403)
    })

    test('die with their owner and with his rights', async () => {
      await make('gus')
      await api('PATCH', '/users/gus', { body: { admin: true } })
      const token = await tokenOf('gus')
      expect((await api('GET', '/users', { token })).status).toBe(200)
      await api('PATCH', '/users/gus', { body: { admin: false } })
      expect((await api('GET', '/users', { token })).status).toBe(403)
      await api('DELETE', '/users/gus')
      expect((await api('GET', '/user', { token })).status).toBe(403)
    })
  })

  describe('servers', LIMIT, () => {
    test('start, are reached, and stop; the tables tell each moment', async () => {
      await make('hal')
      const before = tables(hub, 'hal')
      expect(before.servers).toEqual([])
      const started = await api('POST', '/users/hal/server', { body: { cores: 2 } })
      // 202 on a machine so busy that the server needs longer than the hub waits.
      expect([201, 202]).toContain(started.status)
      expect(started.text).toBe('')
      await ready('hal')
      expect(started.headers.get('content-type')).toContain('text/plain')
      const { json } = await api('GET', '/users/hal')
      expect(json).toMatchObject({ server: '/user/hal/', pending: null })
      expect(json['servers']).toMatchObject({
        '': {
          name: '',
          pending: null,
          ready: true,
          stopped: false,
          url: '/user/hal/',
          user_options: { cores: 2 },
          progress_url: '/hub/api/users/hal/server/progress',
          state: { pid: expect.any(Number) as number },
        },
      })
      const reached = await call(`${hub.url}user/hal/some/path`, 'GET', { token: null })
      expect(reached).toMatchObject({ status: 200, json: { path: '/user/hal/some/path', prefix: '/user/hal/' } })
      const row = tables(hub, 'hal')
      expect(row.servers).toMatchObject([{ proto: 'http', ip: '127.0.0.1', base_url: '/user/hal/' }])
      expect(row.spawners).toMatchObject([{ name: '', server_id: row.servers[0]?.['id'] }])
      expect(row.spawners[0]?.['started']).not.toBeNull()
      expect(row.tokens).toContain('Server at /user/hal/')
      expect((await api('GET', '/users?state=ready')).json).toHaveLength(1)
      expect((await api('GET', '/users?state=active')).json).toHaveLength(1)

      expect(await api('POST', '/users/hal/server')).toMatchObject({
        status: 400,
        json: { message: expect.stringContaining('is already running') as string },
      })
      expect([202, 204]).toContain((await api('DELETE', '/users/hal/server')).status)
      await stopped('hal')
      const after = tables(hub, 'hal')
      expect(after.servers).toEqual([])
      expect(after.spawners).toMatchObject(
        [{ server_id: null, state: '{}', started: null, user_options: '{"cores": 2}' }].map((each) => ({
          ...each,
          user_options: expect.any(String) as string,
        })),
      )
      expect(after.tokens).not.toContain('Server at /user/hal/')
      expect((await api('GET', '/users/hal')).json).toMatchObject({ server: null, servers: {} })
      expect((await api('GET', '/users/hal?include_stopped_servers=1')).json).toMatchObject({
        servers: { '': { stopped: true, ready: false, user_options: { cores: 2 } } },
      })
      expect((await api('DELETE', '/users/hal/server')).status).toBe(204)
    })

    test('give the single-user server all that it needs to know', async () => {
      await make('ida')
      await api('POST', '/users/ida/server')
      await ready('ida')
      const { env } = (await call(`${hub.url}user/ida/`, 'GET', { token: null })).json as unknown as {
        env: Record<string, string>
      }
      expect(env).toMatchObject({
        JUPYTERHUB_CLIENT_ID: 'jupyterhub-user-ida',
        JUPYTERHUB_SERVICE_PREFIX: '/user/ida/',
        JUPYTERHUB_BASE_URL: '/',
        JUPYTERHUB_USER: 'ida',
        JUPYTERHUB_SERVER_NAME: '',
        JUPYTERHUB_HOST: '',
        JUPYTERHUB_OAUTH_CALLBACK_URL: '/user/ida/oauth_callback',
        JPY_API_TOKEN: env['JUPYTERHUB_API_TOKEN'],
        USER: 'ida',
      })
      expect(env['JUPYTERHUB_API_URL']).toMatch(/\/hub\/api$/)
      expect(env['JUPYTERHUB_ACTIVITY_URL']).toMatch(/\/users\/ida\/activity$/)
      expect(env['JUPYTERHUB_SERVICE_URL']).toMatch(/^http:\/\/127.0.0.1:\d+\/user\/ida\/$/)
      expect(JSON.parse(env['JUPYTERHUB_OAUTH_ACCESS_SCOPES'] ?? '')).toContain('access:servers!server=ida/')
      const token = env['JUPYTERHUB_API_TOKEN'] ?? ''
      expect((await api('GET', '/user', { token })).json['scopes']).toContain('access:servers!user=ida')
      expect((await api('POST', '/users/ida/server', { token })).status).toBe(403)
      const body = {
        last_activity: new Date().toISOString(),
        servers: { '': { last_activity: new Date().toISOString() } },
      }
      expect((await api('POST', '/users/ida/activity', { token, body })).status).toBe(200)
      await api('DELETE', '/users/ida/server')
      expect((await api('GET', '/user', { token })).status).toBe(403)
    })

    test('answer 202 while they take long to start, then refuse what does not fit', async () => {
      await make('slow-jo')
      const first = api('POST', '/users/slow-jo/server')
      await until(async () => (await api('GET', '/users/slow-jo')).json['pending'] === 'spawn')
      expect((await api('POST', '/users/slow-jo/server')).status).toBe(202)
      expect(await api('DELETE', '/users/slow-jo/server')).toMatchObject({
        status: 400,
        json: { message: expect.stringContaining('is pending spawn, please wait') as string },
      })
      const row = tables(hub, 'slow-jo')
      expect(row.servers).toHaveLength(1)
      expect(row.spawners).toMatchObject([{ server_id: row.servers[0]?.['id'] }])
      expect(row.tokens).toContain('Server at /user/slow-jo/')
      expect((await api('DELETE', '/users/slow-jo')).status).toBe(corrected({ jupyterhub: 500, ours: 400 }))
      expect((await first).status).toBe(202)
      const events = await progress(hub, 'slow-jo')
      expect(events[0]).toMatchObject({ progress: 0 })
      expect(events.at(-1)).toMatchObject({ progress: 100, ready: true, url: '/user/slow-jo/' })
      expect(events.at(-1)?.['html_message']).toContain('<a href="/user/slow-jo/">')
      await ready('slow-jo')
      expect(await progress(hub, 'slow-jo')).toMatchObject([{ ready: true }])
      await api('DELETE', '/users/slow-jo/server')
    })

    test('answer 202 while they take long to stop', async () => {
      await make('stubborn-kim')
      await api('POST', '/users/stubborn-kim/server')
      await ready('stubborn-kim')
      const first = api('DELETE', '/users/stubborn-kim/server')
      await until(async () => {
        const { json } = await api('GET', '/users/stubborn-kim')
        return json['pending'] === 'stop'
      })
      expect((await api('DELETE', '/users/stubborn-kim/server')).status).toBe(202)
      expect(await api('POST', '/users/stubborn-kim/server')).toMatchObject({
        status: 400,
        json: { message: expect.stringContaining('is pending stop') as string },
      })
      expect((await api('DELETE', '/users/stubborn-kim')).status).toBe(400)
      expect((await first).status).toBe(202)
      await stopped('stubborn-kim')
    })

    test.each(['bad-lea', 'never-max'])(
      'that do not come up leave nothing behind: %s',

      async (name) => {
        await make(name)
        const status = await api('POST', `/users/${name}/server`).then((answer) => answer.status)
        expect([202, 500]).toContain(status)
        await stopped(name)
        const row = tables(hub, name)
        expect(row.servers).toEqual([])
        expect(row.spawners).toMatchObject([{ server_id: null, started: null }])
        // Its token outlives a process that ended by itself: whoever read it keeps the rights of a server.
        const leftBehind = name.startsWith('bad-') && corrected({ jupyterhub: true, ours: false })
        if (!leftBehind) await until(() => !tables(hub, name).tokens.includes(`Server at /user/${name}/`))
        expect(await progress(hub, name)).toMatchObject([{ progress: 100, failed: true }])
      },
    )

    test('that were never started have no progress', async () => {
      expect((await api('GET', '/users/seen/server/progress')).status).toBe(404)
      expect((await api('GET', '/users/nobody/server/progress')).status).toBe(404)
      expect((await api('GET', '/users/hal/server/progress')).status).toBe(400)
    })

    test('of unknown users do not exist', async () => {
      expect((await api('POST', '/users/nobody/server')).status).toBe(404)
      expect((await api('DELETE', '/users/nobody/server')).status).toBe(corrected({ jupyterhub: 500, ours: 404 }))
      expect((await api('DELETE', '/users/seen/server', { body: { remove: true } })).status).toBe(400)
    })

    test('can have names, up to a limit, and are forgotten on request', async () => {
      await make('ned')
      expect([201, 202]).toContain((await api('POST', '/users/ned/servers/lab')).status)
      await allReady('ned')
      expect((await api('GET', '/users/ned')).json).toMatchObject({
        server: null,
        servers: {
          lab: { name: 'lab', url: '/user/ned/lab/', progress_url: '/hub/api/users/ned/servers/lab/progress' },
        },
      })
      expect((await call(`${hub.url}user/ned/lab/x`, 'GET', { token: null })).json).toMatchObject({
        path: '/user/ned/lab/x',
      })
      expect((await api('DELETE', '/users/ned/servers/absent')).status).toBe(404)
      expect([202, 204]).toContain((await api('DELETE', '/users/ned/servers/lab')).status)
      await stopped('ned')
      expect((await api('GET', '/users/ned?include_stopped_servers=1')).json).toMatchObject({
        servers: { lab: { stopped: true } },
      })
      expect((await api('DELETE', '/users/ned/servers/lab', { body: { remove: true } })).status).toBe(204)
      expect((await api('DELETE', '/users/ned/servers/lab')).status).toBe(404)
      await api('POST', '/users/ned/servers/one')
      await api('POST', '/users/ned/servers/two')
      await allReady('ned')
      expect((await api('POST', '/users/ned/servers/three')).status).toBe(400)
      for (const name of ['one', 'two']) await api('DELETE', `/users/ned/servers/${name}`)
      await stopped('ned')
    })

    test('that are stopped say so at their address', async () => {
      const outside = await call(`${hub.url}user/hal/tree`, 'GET', { token: null })
      expect(outside.status).toBe(302)
      expect(outside.headers.get('location')).toMatch(/^\/hub\/user\/hal\/tree/)
      const program = await call(`${hub.url}hub/user/hal/api/contents`, 'GET', { token: null })
      expect(program.status).toBe(corrected({ jupyterhub: 302, ours: 424 }))
    })

    test('die with their user', async () => {
      await make('ola')
      await api('POST', '/users/ola/server')
      await ready('ola')
      expect((await api('DELETE', '/users/ola')).status).toBe(204)
      expect((await call(`${hub.url}user/ola/`, 'GET', { token: null })).status).toBe(302)
    })
  })

  describe('the hub itself', LIMIT, () => {
    test('lists routes, services and what it is made of', async () => {
      const { json } = await api('GET', '/proxy')
      expect(json['/']).toMatchObject({ routespec: '/', target: expect.stringContaining('http://127.0.0.1') as string })
      expect((await api('POST', '/proxy')).status).toBe(200)
      expect((await api('GET', '/info')).json).toMatchObject({
        version: '3.0.0',
        spawner: { class: expect.any(String) as string },
        authenticator: { class: expect.any(String) as string },
      })
      expect((await api('GET', '/services')).json).toMatchObject({ tester: { kind: 'service', admin: true } })
      expect((await api('GET', '/services/reader')).json).toMatchObject({ name: 'reader', roles: ['names'] })
    })

    test('keeps groups and their members', async () => {
      await make('pia')
      expect((await api('POST', '/groups/painters')).json).toMatchObject({ kind: 'group', name: 'painters', users: [] })
      expect((await api('POST', '/groups/painters')).status).toBe(409)
      const body = { users: ['pia'] }
      expect((await api('POST', '/groups/painters/users', { body })).json).toMatchObject({ users: ['pia'] })
      expect((await api('GET', '/users/pia')).json).toMatchObject({ groups: ['painters'] })
      expect((await api('GET', '/groups')).json).toMatchObject([{ name: 'painters', users: ['pia'] }])
      expect((await api('POST', '/groups/painters/users', { body: { users: ['nobody'] } })).status).toBe(400)
      expect((await api('DELETE', '/groups/painters/users', { body })).json).toMatchObject({ users: [] })
      expect((await api('DELETE', '/groups/painters')).status).toBe(204)
      expect((await api('GET', '/groups/painters')).status).toBe(404)
    })
  })
}

/** What a probe sees of one user in the database file. */
function tables(hub: HubUnderTest, name: string) {
  const db = new Database(hub.database, { readonly: true })
  type Row = Record<string, unknown>
  const rows = (text: string) => db.prepare(text).all(name) as Row[]
  const found = {
    spawners: rows('select s.* from spawners s join users u on u.id = s.user_id where u.name = ?'),
    servers: rows(
      'select v.* from servers v join spawners s on s.server_id = v.id join users u on u.id = s.user_id where u.name = ?',
    ),
    tokens: rows('select t.note from api_tokens t join users u on u.id = t.user_id where u.name = ?').map(
      ({ note }) => note,
    ),
  }
  db.close()
  return found
}

/** Reads a progress stream to its end. */
async function progress(hub: HubUnderTest, name: string): Promise<Record<string, unknown>[]> {
  const answer = await hub.call('GET', `/users/${name}/server/progress`)
  expect(answer.headers.get('content-type')).toContain('text/event-stream')
  return answer.text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>)
}
