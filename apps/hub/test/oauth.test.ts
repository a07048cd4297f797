import { createHash, randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { FAKE_SERVER } from './support/jupyterhub.ts'
import { call, startHub, type TestHub } from './support/running-hub.ts'
import { openPage, sessionOf } from './support/session.ts'

describe('logging in to a server through the hub', { timeout: 60_000 }, () => {
  let hub: TestHub
  let cookie: string
  let secret: string
  const client = { client_id: 'jupyterhub-user-ada', redirect_uri: '/user/ada/oauth_callback' }

  beforeAll(async () => {
    hub = await startHub({ spawner: { command: FAKE_SERVER } })
    await hub.command(['create-admin', 'ada'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    cookie = await sessionOf(hub, 'ada', 'correct horse battery')
    await hub.call('POST', '/users/ada/server')
    const { json } = await call(`${hub.url}user/ada/`, 'GET', { token: null })
    secret = (json as unknown as { env: Record<string, string> }).env['JUPYTERHUB_API_TOKEN'] ?? ''
  }, 60_000)
  afterAll(() => hub?.[Symbol.asyncDispose](), 60_000)

  const authorize = (
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = { cookie },
  ) => {
    const search = new URLSearchParams({ ...client, response_type: 'code', state: 'a state', ...query })
    // As a browser that follows a link.
    return call(`${hub.url}hub/api/oauth2/authorize?${search.toString()}`, 'GET', { token: null, headers })
  }
  const codeOf = async (query: Readonly<Record<string, string>> = {}) => {
    const { headers } = await authorize(query)
    return new URL(headers.get('location') ?? '', hub.url).searchParams.get('code') ?? ''
  }
  const exchange = (form: Readonly<Record<string, string>>) =>
    call(`${hub.url}hub/api/oauth2/token`, 'POST', {
      token: null,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        ...client,
        client_secret: secret,
        grant_type: 'authorization_code',
        ...form,
      }).toString(),
    })

  test('gives a code once, and for it a token that opens this server only', async () => {
    const answer = await authorize({})
    expect(answer.status).toBe(302)
    const back = new URL(answer.headers.get('location') ?? '', hub.url)
    expect(back.pathname).toBe('/user/ada/oauth_callback')
    expect(back.searchParams.get('state')).toBe('a state')
    expect(answer.headers.get('set-cookie')).toContain('jupyterhub-session-id=')
    const code = back.searchParams.get('code') ?? ''
    const grant = await exchange({ code })
    expect(grant).toMatchObject({
      status: 200,
      json: { token_type: 'Bearer', expires_in: expect.any(Number) as number },
    })
    const token = grant.json['access_token'] as string
    const who = await hub.call('GET', '/user', { token })
    expect(who.json).toMatchObject({ name: 'ada', session_id: expect.any(String) as string })
    expect(who.json['scopes']).toContain('access:servers!server=ada/')
    expect(who.json['scopes']).not.toContain('servers!user=ada')
    expect(await exchange({ code })).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  })

  test('asks a stranger to log in first, and comes back', async () => {
    const { status, headers } = await authorize({}, {})
    expect(status).toBe(302)
    expect(headers.get('location')).toContain('/hub/login?next=%2Fhub%2Fapi%2Foauth2%2Fauthorize')
  })

  test.each([
    'https://evil.example/user/ada/oauth_callback',
    '//evil.example/',
    '/user/bob/oauth_callback',
    '/hub/home',
  ])('sends no code to %s', async (redirect_uri) => {
    const answer = await authorize({ redirect_uri })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('location')).toBeNull()
  })

  test('refuses unknown clients, wrong secrets and other grants', async () => {
    expect((await authorize({ client_id: 'jupyterhub-user-nobody' })).status).toBe(400)
    expect((await authorize({ response_type: 'token' })).status).toBe(400)
    expect(await exchange({ code: await codeOf(), client_secret: 'wrong' })).toMatchObject({
      status: 401,
      json: { error: 'invalid_client' },
    })
    expect((await exchange({ code: await codeOf(), grant_type: 'password' })).status).toBe(400)
    const other = '/user/ada/elsewhere'
    expect((await exchange({ code: await codeOf(), redirect_uri: other })).json).toEqual({ error: 'invalid_grant' })
    expect((await exchange({ code: 'nonsense' })).json).toEqual({ error: 'invalid_grant' })
  })

  test.each(['%zz:x', 'x:%', ''])('refuses credentials that nobody can read: %j', async (pair) => {
    const answer = await call(`${hub.url}hub/api/oauth2/token`, 'POST', {
      token: null,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'authorization_code', code: 'x' }).toString(),
    })
    expect(answer).toMatchObject({ status: 401, json: { error: 'invalid_client' } })
  })

  test('holds a client that brought a proof key to it', async () => {
    const verifier = randomBytes(32).toString('base64url')
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const proof = { code_challenge: challenge, code_challenge_method: 'S256' }
    expect((await exchange({ code: await codeOf(proof) })).status).toBe(400)
    expect((await exchange({ code: await codeOf(proof), code_verifier: 'x'.repeat(43) })).status).toBe(400)
    expect((await exchange({ code: await codeOf(proof), code_verifier: verifier })).status).toBe(200)
    expect((await authorize({ ...proof, code_challenge_method: 'plain' })).status).toBe(400)
  })

  test('lets another user in only with the right to, and once he has said that he wants it', async () => {
    await hub.command(['create-admin', 'bob'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    const other = await sessionOf(hub, 'bob', 'correct horse battery')
    // A script on some server's page would read the proof and answer by itself.
    expect((await authorize({}, { cookie: other, 'sec-fetch-mode': 'cors' })).status).toBe(403)
    const address = `${hub.url}hub/api/oauth2/authorize?${new URLSearchParams({ ...client, response_type: 'code' }).toString()}`
    const asked = await openPage(address, other)
    expect(asked).toMatchObject({ status: 200, text: expect.stringContaining('Open the server of ada?') as string })
    const answer = (proof: string) =>
      call(address, 'POST', { token: null, headers: { cookie: other }, body: `_xsrf=${proof}` })
    expect((await answer('x')).status).toBe(403)
    const agreed = await answer(/name="_xsrf" value="([^"]+)"/.exec(asked.text)?.[1] ?? '')
    expect(agreed.status).toBe(302)
    const code = new URL(agreed.headers.get('location') ?? '', hub.url).searchParams.get('code') ?? ''
    const grant = await exchange({ code })
    const who = await hub.call('GET', '/user', { token: grant.json['access_token'] as string })
    expect(who.json).toMatchObject({ name: 'bob' })
    expect((await authorize({}, { cookie: other })).status).toBe(302)

    await hub.call('PATCH', '/users/bob', { body: { admin: false } })
    expect((await authorize({}, { cookie: await sessionOf(hub, 'bob', 'correct horse battery') })).status).toBe(403)
  })

  test('keeps the login cookie away from servers, and the API away from foreign pages', async () => {
    const answer = await fetch(`${hub.url}hub/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ada', password: 'correct horse battery' }),
    })
    for (const each of answer.headers.getSetCookie()) expect(each).toContain('Path=/hub/')
    const api = (headers: Readonly<Record<string, string>>, method = 'GET') =>
      hub.call(method, '/users/ada', { token: null, headers: { cookie, ...headers } })
    expect((await api({})).status).toBe(403)
    expect((await api({ referer: `${hub.url}user/ada/tree` })).status).toBe(403)
    expect((await api({ referer: 'https://evil.example/hub/home' })).status).toBe(403)
    expect((await api({ referer: `${hub.url}hub/home` })).status).toBe(200)
    expect((await api({ referer: `${hub.url}hub/home` }, 'DELETE')).status).toBe(403)
    const form = await call(`${hub.url}hub/stop`, 'POST', {
      token: null,
      headers: { cookie },
      body: 'user=ada&server=',
    })
    expect(form.status).toBe(403)
  })
})
