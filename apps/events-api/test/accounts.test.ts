import { expect, test } from 'vitest'

import { usePool } from './support/use-pool.ts'
import { password, type World } from './support/world.ts'

const worlds = usePool('people')
const json = { 'content-type': 'application/json' }

const post = (world: World, path: string, body: unknown) =>
  world.request('POST', path, { body: JSON.stringify(body), headers: json })

test('the service answers a ping', async () => {
  await using world = await worlds.open()
  expect((await world.request('GET', '/ping')).json).toEqual({ msg: 'pong' })
})

// On one database, twice: what the first run leaves must not be in the way of the second.
test('registration passes however often it runs', async () => {
  await using world = await worlds.open()
  for (const run of [1, 2]) {
    const username = `grace${run}`
    const created = await post(world, '/users/register', { username, password, fullname: 'Grace Gomes' })
    expect(created).toMatchObject({ status: 201, json: { id: expect.any(Number), username, fullname: 'Grace Gomes' } })
    expect(Object.keys(created.json).toSorted((a, b) => a.localeCompare(b))).toEqual(['fullname', 'id', 'username'])
    expect((await post(world, '/users/register', { username, password, fullname: 'Grace' })).status).toBe(409)
    const missing = await post(world, '/users/register', { username: `other${run}`, password })
    expect(missing.status).toBe(422)
    expect(missing.text).toContain('fullname')
    expect(missing.text).not.toContain(password)
    const wrongMethod = await world.request('GET', '/users/register')
    expect(wrongMethod.status).toBe(405)
    expect(wrongMethod.headers.get('allow')).toBe('POST')
    const user = await world.request('GET', `/v1/users/${created.json.id}`, { as: 'admin' })
    expect(user.json.data.attributes).toMatchObject({ username, fullname: 'Grace Gomes', 'is-admin': false })
  }
})

test('a session works as bearer token and as cookie, and ends with a sign-out', async () => {
  await using world = await worlds.open()
  const login = await post(world, '/login', { username: 'member', password })
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  const bearer = { authorization: `Bearer ${login.json.token}` }
  expect((await world.request('GET', '/v1/users/3', { headers: bearer })).status).toBe(200)
  expect((await world.request('GET', '/v1/users/3', { headers: { cookie } })).status).toBe(200)
  expect((await world.request('POST', '/logout', { headers: bearer })).status).toBe(204)
  expect((await world.request('GET', '/v1/users/3', { headers: bearer })).status).toBe(401)
})

test.each([
  ['/login', { username: 'member', password }],
  ['/users/register', { username: 'grace', password: 'correct horse battery', fullname: 'Grace' }],
  ['/logout', undefined],
])('another site cannot send %s, and hears so in the words of accounts', async (path, body) => {
  await using world = await worlds.open()
  const answer = await world.request('POST', path, {
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' },
    ...(body && { body: JSON.stringify(body) }),
  })
  expect(answer).toMatchObject({ status: 403, json: { code: 'NATIVE_AUTH_CROSS_SITE' } })
  expect(answer.headers.get('set-cookie')).toBeNull()
})

test('an address that tries too often is told when to come back', async () => {
  await using world = await worlds.open(undefined, { limits: { loginsPerMinute: 2, signUpsPerHour: 1 } })
  const login = () => post(world, '/login', { username: 'member', password })
  expect([(await login()).status, (await login()).status]).toEqual([200, 200])
  const refused = await login()
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.text).not.toContain(password)
  const signUp = (username: string) => post(world, '/users/register', { username, password, fullname: 'Grace Gomes' })
  expect([(await signUp('grace1')).status, (await signUp('grace2')).status]).toEqual([201, 429])
  // Only attempts are counted: who has a session goes on.
  expect((await world.request('GET', '/v1/users/3', { as: 'member' })).status).toBe(200)
})

test('a trashed user cannot sign in until it is restored', async () => {
  await using world = await worlds.open()
  const login = async () => (await post(world, '/login', { username: 'member', password })).status
  expect(await login()).toBe(200)
  await world.request('DELETE', '/v1/users/3', { as: 'admin' })
  expect(await login()).not.toBe(200)
  await world.request('POST', '/v1/users/3/restore', { as: 'admin' })
  expect(await login()).toBe(200)
})

test('an administrator is not deleted, not even by herself', async () => {
  await using world = await worlds.open()
  expect((await world.request('DELETE', '/v1/users/1', { as: 'admin' })).status).toBe(403)
  expect((await world.request('DELETE', '/v1/users/1?permanent=true', { as: 'admin' })).status).toBe(403)
})

test('nobody makes herself an administrator', async () => {
  await using world = await worlds.open()
  const body = { data: { type: 'users', id: '3', attributes: { 'is-admin': true } } }
  expect((await world.request('PATCH', '/v1/users/3', { as: 'member', body })).status).toBe(422)
  const named = await post(world, '/users/register', {
    username: 'eve',
    password,
    fullname: 'Eve',
    is_admin: true,
    isAdmin: true,
  })
  expect(named.status).toBe(201)
  const user = await world.request('GET', `/v1/users/${named.json.id}`, { as: 'admin' })
  expect(user.json.data.attributes['is-admin']).toBe(false)
})

test('a user whose row a crash kept from being written gets it at the next request', async () => {
  await using world = await worlds.open()
  const token = await world.tokenOf('member')
  await world.service.db.withoutPlugins().deleteFrom('users').where('id', '=', 3).execute()
  const answer = await world.request('GET', '/v1/users/3', { headers: { authorization: `Bearer ${token}` } })
  expect(answer).toMatchObject({
    status: 200,
    json: { data: { attributes: { username: 'member', fullname: 'Person 3' } } },
  })
})

test('readiness ends before the service does, and figures are there for Prometheus', async () => {
  await using world = await worlds.open()
  await world.request('GET', '/v1/events')
  expect((await world.request('GET', '/metrics')).text).toContain(
    'http_request_duration_seconds_count{operation="listEvents",method="GET",status="200"} 1',
  )
  expect((await world.request('GET', '/ready')).status).toBe(200)
  world.service.drain()
  expect((await world.request('GET', '/ready')).status).toBe(503)
  expect((await world.request('GET', '/v1/events')).status).toBe(200)
})
