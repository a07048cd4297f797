import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type InProcessHub, startInProcess } from './support/in-process-hub.ts'
import { FAKE_SERVER } from './support/jupyterhub.ts'
import { call, TOKEN, until } from './support/running-hub.ts'
import { openPage, sessionOf } from './support/session.ts'

const PASSWORD = 'correct horse battery'
const USHER = 'usher-token-0123456789abcdef01234'
const STEWARD = 'steward-token-0123456789abcdef012'

describe('rights', { timeout: 60_000 }, () => {
  let inside: InProcessHub
  let root: string
  beforeAll(async () => {
    inside = await startInProcess({
      accounts: { open_signup: true, admins: ['Boss'] },
      spawner: { command: FAKE_SERVER },
      services: [
        { name: 'tester', api_token: TOKEN, admin: true },
        { name: 'usher', api_token: USHER, scopes: ['admin:users'] },
        {
          name: 'steward',
          api_token: STEWARD,
          scopes: ['admin:users!group=team', 'admin:users!user=tess', 'admin:groups!group=team'],
        },
      ],
    })
    await inside.running.hub.accounts.createAdmin('root', PASSWORD)
  }, 60_000)
  afterAll(() => inside?.[Symbol.asyncDispose](), 60_000)

  const url = () => inside.running.url
  const api = (method: string, where: string, token: string = TOKEN, body?: unknown) =>
    call(`${url()}hub/api${where}`, method, body === undefined ? { token } : { token, body })
  const cookieOf = (name: string, password = PASSWORD) => sessionOf(inside.running, name, password)
  const page = async (path: string, cookie: string) => (await openPage(`${url()}hub/${path}`, cookie)).status
  /** A call of the authenticator, as one of its pages makes it. */
  const auth = (method: string, path: string, cookie: string, body: unknown = {}) =>
    call(`${url()}hub/${path}`, method, {
      token: null,
      headers: { cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
      body,
    })
  const signUp = async (username: string) => {
    const { status } = await auth('POST', 'users/register', '', { username, password: PASSWORD })
    expect(status).toBe(201)
  }

  /** An account that an administrator makes: sign-ups of one client are limited. */
  const makeAccount = async (username: string) => {
    const { status } = await auth('POST', 'users', root, { username, password: PASSWORD })
    expect(status).toBe(201)
  }

  test('of an administrator are given by administrators alone', async () => {
    expect((await api('POST', '/users/ada', USHER)).status).toBe(201)
    const body = { admin: true }
    expect(await api('PATCH', '/users/ada', USHER, body)).toMatchObject({
      status: 403,
      json: { message: 'Only admins can grant admin permissions, or change an admin' },
    })
    expect((await api('POST', '/users/bob', USHER, body)).status).toBe(403)
    expect((await api('POST', '/users', USHER, { usernames: ['bob'], ...body })).status).toBe(403)
    expect((await api('GET', '/users/bob')).status).toBe(404)
    expect((await api('PATCH', '/users/ada', TOKEN, body)).status).toBe(200)
    expect((await api('PATCH', '/users/ada', USHER, { name: 'adele' })).status).toBe(403)
    // A narrow token of an administrator is no administrator.
    const scopes = ['admin:users']
    const { token } = (await api('POST', '/users/ada/tokens', TOKEN, { scopes })).json as unknown as { token: string }
    expect((await api('POST', '/users/cid', token, body)).status).toBe(403)
  })

  test('of a user are not had by signing up under his name', async () => {
    await api('POST', '/users/dean', TOKEN, { admin: true })
    await signUp('dean')
    // Nobody is logged in: what has nothing to do with logins stays.
    expect((await api('GET', '/users/dean')).status).toBe(200)
    await expect(cookieOf('dean')).rejects.toThrow('403')
    await signUp('boss')
    await expect(cookieOf('boss')).rejects.toThrow('403')
    await signUp('erin')
    expect(await page('admin', await cookieOf('erin'))).toBe(403)
    root = await cookieOf('root')
  })

  test('of an administrator come to the accounts that the configuration names, once one lets them in', async () => {
    expect((await auth('POST', 'users/boss/authorise', root)).status).toBe(200)
    expect(await page('admin', await cookieOf('boss'))).toBe(200)
    await signUp('fay')
    expect((await auth('POST', 'users/fay/authorise', root)).status).toBe(200)
    expect(await page('admin', await cookieOf('fay'))).toBe(403)
  })

  test('over a group or a user make nobody and nothing beyond', async () => {
    const users = (...usernames: string[]) => api('POST', '/users', STEWARD, { usernames })
    expect((await users('stranger')).status).toBe(404)
    expect((await users('tess', 'stranger')).status).toBe(404)
    expect((await api('GET', '/users/tess')).status).toBe(404)
    expect((await users('tess')).status).toBe(201)
    expect((await api('POST', '/groups', STEWARD, { groups: ['team', 'others'] })).status).toBe(404)
    expect((await api('GET', '/groups/team')).status).toBe(404)
    expect((await api('POST', '/groups', STEWARD, { groups: ['team'] })).status).toBe(201)
  })

  test('over a group do not grow to rights over administrators by adding them', async () => {
    await api('POST', '/users/chief', TOKEN, { admin: true })
    const add = (name: string, token: string) => api('POST', '/groups/team/users', token, { users: [name] })
    expect((await add('chief', STEWARD)).status).toBe(403)
    expect((await api('DELETE', '/groups/team', STEWARD)).status).toBe(204)
    const made = await api('POST', '/groups/team', STEWARD, { users: ['tess', 'chief'] })
    expect(made).toMatchObject({ status: 403 })
    expect((await api('GET', '/groups/team')).status).toBe(404)
    expect((await api('POST', '/groups/team', STEWARD, { users: ['tess'] })).status).toBe(201)
    expect((await api('DELETE', '/users/chief', STEWARD)).status).toBe(404)
    expect((await add('chief', TOKEN)).status).toBe(200)
    await api('DELETE', '/users/chief')
  })

  test('at one server do not reach the databases of its user', async () => {
    await api('POST', '/users/may')
    const body = { scopes: ['servers!server=may/'] }
    const { token } = (await api('POST', '/users/may/tokens', TOKEN, body)).json as unknown as { token: string }
    for (const where of ['', '/main', '/main/start']) {
      const method = where.endsWith('start') ? 'POST' : 'GET'
      expect((await api(method, `/users/may/databases${where}`, token)).status).toBe(404)
    }
    expect((await api('DELETE', '/users/may/databases/main', token)).status).toBe(404)
  })

  test('end with the account: tokens, logins and servers', async () => {
    await makeAccount('gil')
    const cookie = await cookieOf('gil')
    expect(await page('home', cookie)).toBe(200)
    const auth_ = { auth: { username: 'gil', password: PASSWORD } }
    const { token } = (await api('POST', '/users/gil/tokens', 'none', auth_)).json as unknown as { token: string }
    expect((await api('POST', '/users/gil/server', token)).status).toBe(201)
    expect((await auth('POST', 'users/gil/block', root)).status).toBe(200)
    expect((await api('GET', '/user', token)).status).toBe(403)
    expect(await page('home', cookie)).toBe(302)
    await until(async () => (await api('GET', '/users/gil')).json['server'] === null)
  })

  test('that a browser got at a server end with its login, however that ends', async () => {
    await makeAccount('hue')
    const [cookie, other] = [await cookieOf('hue'), await cookieOf('hue')]
    await page('home', cookie)
    expect((await api('POST', '/users/hue/server')).status).toBe(201)
    const { json } = await call(`${url()}user/hue/`, 'GET', { token: null })
    const secret = (json as unknown as { env: Record<string, string> }).env['JUPYTERHUB_API_TOKEN'] ?? ''
    const client = { client_id: 'jupyterhub-user-hue', redirect_uri: '/user/hue/oauth_callback' }
    const search = new URLSearchParams({ ...client, response_type: 'code' }).toString()
    const codeOf = async (headers: Readonly<Record<string, string>>) => {
      const answer = await call(`${url()}hub/api/oauth2/authorize?${search}`, 'GET', { token: null, headers })
      return new URL(answer.headers.get('location') ?? '', url()).searchParams.get('code') ?? ''
    }
    const exchange = (code: string) =>
      call(`${url()}hub/api/oauth2/token`, 'POST', {
        token: null,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          ...client,
          client_secret: secret,
          grant_type: 'authorization_code',
          code,
        }).toString(),
      })
    const tokens = [
      (await exchange(await codeOf({ cookie }))).json['access_token'] as string,
      (await exchange(await codeOf({ cookie: other }))).json['access_token'] as string,
    ]
    const unused = await codeOf({ cookie: other })
    for (const token of tokens) expect((await api('GET', '/user', token)).status).toBe(200)
    const changed = { old_password: PASSWORD, new_password: 'quite another password' }
    expect((await auth('POST', 'change-password', cookie, changed)).status).toBeLessThan(300)
    for (const token of tokens) expect((await api('GET', '/user', token)).status).toBe(403)
    expect((await exchange(unused)).status).toBe(400)
    expect((await api('GET', '/users/hue')).json).toMatchObject({ server: '/user/hue/' })
  })

  test('come with the first visit, however many requests it makes at once', async () => {
    await makeAccount('ike')
    const cookie = await cookieOf('ike')
    const visits = await Promise.all([1, 2, 3, 4].map(() => page('home', cookie)))
    expect(visits).toEqual([200, 200, 200, 200])
  })
})
