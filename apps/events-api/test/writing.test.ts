import { expect, test } from 'vitest'

import { usePool } from './support/use-pool.ts'

const worlds = usePool('conference')
const type = 'application/vnd.api+json'

const track = (name: string, more: object = {}) => ({
  data: {
    type: 'tracks',
    attributes: { name, color: '#000000' },
    relationships: { event: { data: { type: 'events', id: '1' } } },
    ...more,
  },
})

test('creates with 201, Location and the links of the new resource', async () => {
  await using world = await worlds.open()
  const { status, headers, json } = await world.request('POST', '/v1/tracks', { as: 'organiser', body: track('New') })
  expect(status).toBe(201)
  expect(headers.get('location')).toBe(json.data.links.self)
  const read = await world.request('GET', json.data.links.self)
  expect(read.json.data).toEqual(json.data)
  expect(read.headers.get('etag')?.split('.')[0]).toBe(headers.get('etag')?.split('.')[0])
})

test.each([
  ['another type', track('x', { type: 'events' }), 409, { pointer: '/data/type' }],
  ['an id of the client', track('x', { id: '9' }), 403, { pointer: '/data/id' }],
  ['no data', {}, 400, { pointer: '' }],
  ['a list', { data: [] }, 400, { pointer: '/data' }],
  ['a name that a live track has', track('Databases'), 409, { pointer: '/data/attributes/name' }],
  [
    'an attribute too many',
    track('x', { attributes: { name: 'x', color: '#000000', id: 7 } }),
    422,
    { pointer: '/data/attributes/id' },
  ],
  [
    'a colour that is none',
    track('x', { attributes: { name: 'x', color: 'red' } }),
    422,
    { pointer: '/data/attributes/color' },
  ],
  ['NUL in a text', track('a\0b'), 422, { pointer: '/data/attributes/name' }],
  ['half a surrogate pair', track('\ud800'), 422, { pointer: '/data/attributes/name' }],
  ['no parent', track('x', { relationships: {} }), 422, { pointer: '/data/relationships' }],
  [
    'a parent that is not there',
    track('x', { relationships: { event: { data: { type: 'events', id: '999' } } } }),
    404,
    { pointer: '/data/relationships/event/data' },
  ],
  [
    'a parent of another type',
    track('x', { relationships: { event: { data: { type: 'tracks', id: '1' } } } }),
    422,
    { pointer: '/data/relationships/event/data/type' },
  ],
])('refuses a new resource with %s', async (_, body, status, source) => {
  await using world = await worlds.open()
  const answer = await world.request('POST', '/v1/tracks', { as: 'organiser', body })
  expect({ status: answer.status, source: answer.json.errors[0].source }).toEqual({ status, source })
  expect((await world.request('GET', '/v1/tracks?filter[event]=1')).json.meta.count).toBe(3)
})

test('says of each value what would do', async () => {
  await using world = await worlds.open()
  const attributes = {
    name: '',
    identifier: 'Not A Slug',
    'starts-at': 'yesterday',
    'ends-at': 7,
    timezone: 'Mars/Base',
    latitude: 91,
    'is-event-online': 'no',
    'location-name': 'x'.repeat(256),
    'website-url': 'nowhere',
  }
  const body = { data: { type: 'events', attributes } }
  const { json } = await world.request('POST', '/v1/events', { as: 'organiser', body })
  const said = json.errors.map(({ source, detail }: { source: { pointer: string }; detail: string }) => [
    source.pointer.replace('/data/attributes/', ''),
    detail,
  ])
  expect(said.toSorted()).toEqual([
    ['ends-at', 'Expected a string'],
    ['identifier', 'Expected lower-case letters and digits with single hyphens between them'],
    ['is-event-online', 'Expected true or false'],
    ['latitude', 'Expected at most 90'],
    ['location-name', 'Expected at most 255 characters'],
    ['name', 'Expected text that is not empty'],
    ['starts-at', 'Expected a moment with its offset, such as 2027-01-31T09:00:00Z'],
    ['timezone', 'Expected a time zone such as Europe/Lisbon'],
    ['website-url', 'Expected an absolute address'],
    ['website-url', 'Expected text like the pattern ^https?://'],
  ])
})

test.each([
  ['no JSON', '{"data":', 400],
  ['an empty body', '', 400],
  ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 400],
  ['too deep', `${'['.repeat(5000)}${']'.repeat(5000)}`, 400],
  ['too long', JSON.stringify({ data: 'x'.repeat(600_000) }), 413],
])('refuses a body that is %s', async (_, body, status) => {
  await using world = await worlds.open()
  const headers = { 'content-type': type }
  expect((await world.request('POST', '/v1/tracks', { as: 'organiser', body, headers })).status).toBe(status)
})

test('a session links only to things of its own event', async () => {
  await using world = await worlds.open()
  const data = { type: 'sessions', id: '1', relationships: { track: { data: { type: 'tracks', id: '4' } } } }
  const { status, json } = await world.request('PATCH', '/v1/sessions/1', { as: 'organiser', body: { data } })
  expect(status).toBe(422)
  expect(json.errors[0].source).toEqual({ pointer: '/data/relationships/track/data' })
})

test('PATCH changes what it names and nothing else', async () => {
  await using world = await worlds.open()
  const before = await world.request('GET', '/v1/tracks/1')
  const patch = (data: object) => world.request('PATCH', '/v1/tracks/1', { as: 'organiser', body: { data } })
  expect((await patch({ type: 'tracks', id: '2' })).status).toBe(409)
  expect((await patch({ type: 'events', id: '1' })).status).toBe(409)
  expect((await patch({ type: 'tracks', id: '1', attributes: { name: 'Web' } })).status).toBe(409)
  const changed = await patch({ type: 'tracks', id: '1', attributes: { description: null } })
  expect(changed.json.data.attributes).toEqual({
    ...before.json.data.attributes,
    description: null,
    'updated-at': expect.any(String),
  })
  expect(
    (await patch({ type: 'tracks', id: '1', relationships: { event: { data: { type: 'events', id: '2' } } } })).status,
  ).toBe(422)
})

test('to-many relationships are read, replaced, added to and taken from', async () => {
  await using world = await worlds.open()
  const path = '/v1/sessions/1/relationships/speakers'
  const speakers = (...ids: string[]) => ({ data: ids.map((id) => ({ type: 'speakers', id })) })
  const write = async (method: string, ...ids: string[]) =>
    (await world.request(method, path, { as: 'organiser', body: speakers(...ids) })).json.data.map(
      (one: { id: string }) => one.id,
    )
  expect((await world.request('GET', path)).json.data).toEqual(speakers('1', '3').data)
  expect(await write('POST', '1', '2')).toEqual(['1', '2', '3'])
  expect(await write('DELETE', '1', '3')).toEqual(['2'])
  expect(await write('PATCH', '4')).toEqual(['4'])
  expect(await write('PATCH')).toEqual([])
})

test('a trashed speaker is in nobody’s way, and is still linked when she returns', async () => {
  await using world = await worlds.open()
  const path = '/v1/sessions/1/relationships/speakers'
  const write = async (method: string, id: string) =>
    (await world.request(method, path, { as: 'organiser', body: { data: [{ type: 'speakers', id }] } })).status
  await world.request('DELETE', '/v1/speakers/1', { as: 'organiser' })
  expect([await write('POST', '2'), await write('DELETE', '3'), await write('POST', '1')]).toEqual([200, 200, 404])
  const linked = async () => (await world.request('GET', path)).json.data.map((one: { id: string }) => one.id)
  expect(await linked()).toEqual(['2'])
  await world.request('POST', '/v1/speakers/1/restore', { as: 'organiser' })
  expect(await linked()).toEqual(['1', '2'])
})

test('errors in linkage point into the linkage', async () => {
  await using world = await worlds.open()
  const link = async (name: string, data: unknown) => {
    const path = `/v1/sessions/1/relationships/${name}`
    return (await world.request('PATCH', path, { as: 'organiser', body: { data } })).json.errors[0]
  }
  expect(await link('track', { type: 'tracks', id: '999' })).toMatchObject({
    status: '404',
    source: { pointer: '/data' },
  })
  const speakers = ['1', '999'].map((id) => ({ type: 'speakers', id }))
  expect(await link('speakers', speakers)).toMatchObject({ status: '404', source: { pointer: '/data/1' } })
})

test.each(['2027-05-08T23:59:60Z', '2027-05-09T08:00:00+01', '2027-02-30T08:00:00Z', '2027-05-09\n08:00:00Z'])(
  'a moment that cannot be kept, %j, is a 422',
  async (moment) => {
    await using world = await worlds.open()
    const body = { data: { type: 'sessions', id: '1', attributes: { 'ends-at': moment } } }
    expect(await world.request('PATCH', '/v1/sessions/1', { as: 'organiser', body })).toMatchObject({
      status: 422,
      json: { errors: [{ source: { pointer: '/data/attributes/ends-at' } }] },
    })
  },
)

test('a list of 304 and 412: validators are compared before anything is written', async () => {
  await using world = await worlds.open()
  const first = await world.request('GET', '/v1/tracks/1')
  const etag = first.headers.get('etag') ?? ''
  expect((await world.request('GET', '/v1/tracks/1', { headers: { 'if-none-match': `W/"x", ${etag}` } })).status).toBe(
    304,
  )
  expect(
    (await world.request('GET', '/v1/tracks/1?fields[tracks]=name', { headers: { 'if-none-match': etag } })).status,
  ).toBe(200)
  const patch = (name: string, ifMatch: string) =>
    world.request('PATCH', '/v1/tracks/1', {
      as: 'organiser',
      headers: { 'if-match': ifMatch },
      body: { data: { type: 'tracks', id: '1', attributes: { name } } },
    })
  expect((await patch('One', '"v9.x"')).status).toBe(412)
  expect((await patch('One', `W/${etag}`)).status).toBe(412)
  expect((await world.request('GET', '/v1/tracks/1')).json.data.attributes.name).toBe('Databases')
  expect((await patch('One', etag)).status).toBe(200)
  expect((await patch('Two', etag)).status).toBe(412)
  expect(
    (await world.request('DELETE', '/v1/tracks/1', { as: 'organiser', headers: { 'if-match': etag } })).status,
  ).toBe(412)
  expect((await world.request('GET', '/v1/tracks/1')).json.data.attributes.name).toBe('One')
})

test('of many concurrent PATCHes with one validator exactly one wins', async () => {
  await using world = await worlds.open()
  const etag = (await world.request('GET', '/v1/tracks/1')).headers.get('etag') ?? ''
  const statuses = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const body = { data: { type: 'tracks', id: '1', attributes: { name: `Name ${index}` } } }
      return (await world.request('PATCH', '/v1/tracks/1', { as: 'organiser', headers: { 'if-match': etag }, body }))
        .status
    }),
  )
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 7 }, () => 412)])
})

test('a cookie alone does not let another site write', async () => {
  await using world = await worlds.open()
  const body = JSON.stringify({ username: 'organiser', password: 'a long enough password 42' })
  const login = await world.request('POST', '/login', { body, headers: { 'content-type': 'application/json' } })
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  const write = (site: string) =>
    world.request('DELETE', '/v1/tracks/1', { headers: { cookie, 'sec-fetch-site': site } })
  expect((await write('cross-site')).status).toBe(403)
  expect((await write('same-origin')).status).toBe(200)
})
