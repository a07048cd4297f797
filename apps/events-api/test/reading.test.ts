import { expect, test } from 'vitest'

import { usePool } from './support/use-pool.ts'
import { type World } from './support/world.ts'

const worlds = usePool('conference')
const type = 'application/vnd.api+json'

/** Status of a read with one header set. */
const readWith = async (world: World, headers: Record<string, string>) =>
  (await world.request('GET', '/v1/events', { headers })).status

const track = (name: string, more: object = {}) => ({
  data: {
    type: 'tracks',
    attributes: { name, color: '#000000' },
    relationships: { event: { data: { type: 'events', id: '1' } } },
    ...more,
  },
})

test('negotiates the media type by the rules', async () => {
  await using world = await worlds.open()
  expect(await readWith(world, { accept: type })).toBe(200)
  expect(await readWith(world, { accept: '*/*' })).toBe(200)
  expect(await readWith(world, { accept: 'text/html, application/*;q=0.1' })).toBe(200)
  expect(await readWith(world, { accept: `${type}; profile="https://example.org/a,b"` })).toBe(200)
  expect(await readWith(world, { accept: `${type}; charset=utf-8, ${type}` })).toBe(200)
  expect(await readWith(world, { accept: `${type}; charset=utf-8` })).toBe(406)
  expect(await readWith(world, { accept: `${type}; ext="https://jsonapi.org/ext/atomic", */*` })).toBe(406)
  expect(await readWith(world, { accept: 'text/html' })).toBe(406)
  expect(await readWith(world, { accept: `${type};q=0` })).toBe(406)
  const post = async (contentType: string, more: Record<string, string> = {}) =>
    (
      await world.request('POST', '/v1/tracks', {
        as: 'organiser',
        body: JSON.stringify(track(`Track ${Math.random()}`)),
        headers: { 'content-type': contentType, ...more },
      })
    ).status
  expect(await post(type)).toBe(201)
  expect(await post(`${type}; profile="https://example.org/x"`)).toBe(201)
  expect(await post(`${type}; charset=utf-8`)).toBe(415)
  expect(await post(`${type}; ext="https://jsonapi.org/ext/atomic"`)).toBe(415)
  expect(await post('application/json')).toBe(415)
  expect(await post(type, { 'content-encoding': 'gzip' })).toBe(415)
  const { headers } = await world.request('GET', '/v1/events')
  expect(headers.get('content-type')).toBe(type)
  expect(headers.get('vary')).toContain('Accept')
})

test('errors are error objects: string status, code, source', async () => {
  await using world = await worlds.open()
  const cases: [path: string, status: string, source: object][] = [
    ['/v1/events?colour=red', '400', { parameter: 'colour' }],
    ['/v1/events?page=1', '400', { parameter: 'page' }],
    ['/v1/events?page[size]=0', '400', { parameter: 'page[size]' }],
    ['/v1/events?page[size]=101', '400', { parameter: 'page[size]' }],
    ['/v1/events?page[number]=-1', '400', { parameter: 'page[number]' }],
    ['/v1/events?page[number]=99999&page[size]=100', '400', { parameter: 'page[number]' }],
    ['/v1/events?sort=secret', '400', { parameter: 'sort' }],
    ['/v1/events?include=speakers.password', '400', { parameter: 'include' }],
    ['/v1/events?include=sessions.event.sessions.event', '400', { parameter: 'include' }],
    ['/v1/events?fields[events]=nope', '400', { parameter: 'fields[events]' }],
    ['/v1/events?fields[comets]=name', '400', { parameter: 'fields[comets]' }],
    ['/v1/events?filter[nope]=1', '400', { parameter: 'filter[nope]' }],
    ['/v1/events?filter[latitude]=north', '400', { parameter: 'filter[latitude]' }],
    ['/v1/events?filter[name][sounds]=x', '400', { parameter: 'filter[name][sounds]' }],
    ['/v1/events?filter[name]=a%00b', '400', { parameter: 'filter[name]' }],
    ['/v1/events?sort=name&sort=id', '400', { parameter: 'sort' }],
    ['/v1/events?__proto__=x', '400', { parameter: '__proto__' }],
    ['/v1/events?include=__proto__', '400', { parameter: 'include' }],
  ]
  for (const [path, status, source] of cases) {
    const answer = await world.request('GET', path)
    expect({ path, status: String(answer.status), errors: answer.json.errors }).toMatchObject({
      path,
      status,
      errors: [{ status, source, title: expect.any(String), detail: expect.any(String), code: expect.any(String) }],
    })
  }
})

test.each([
  ['sort=colour', /^Expected one of id, name, identifier, .*, got `colour`$/],
  ['include=colour', /^Expected one of sessions, speakers, .* of `events`, got `colour`$/],
  ['filter[colour]=red', /^Expected one of id, name, .*, owner, search, got `colour`$/],
  ['filter[starts-at][gt]=tomorrow', /^Expected a date such as 2027-01-31, or a moment such as .*, got `tomorrow`$/],
  ['filter[is-event-online]=yes', /^Expected true or false, got `yes`$/],
])('%s is answered with what would do', async (query, detail) => {
  await using world = await worlds.open()
  const answer = await world.request('GET', `/v1/events?${query}`)
  expect(answer.json.errors).toMatchObject([{ status: '400', detail: expect.stringMatching(detail) }])
})

test.each(['0', '-1', '01', '1.0', 'abc', '99999999999', '2147483648', '1%00', '%27'])(
  'id %s is a 404, not an error of ours',
  async (id) => {
    await using world = await worlds.open()
    expect((await world.request('GET', `/v1/events/${id}`)).status).toBe(404)
  },
)

test('unknown paths are 404, wrong methods 405 with Allow', async () => {
  await using world = await worlds.open()
  expect(await world.request('GET', '/v1/comets')).toMatchObject({ status: 404, json: { errors: [{ status: '404' }] } })
  const answer = await world.request('PATCH', '/v1/events', { as: 'organiser', body: {} })
  expect(answer.status).toBe(405)
  expect(answer.headers.get('allow')).toBe('GET, HEAD, POST')
  expect((await world.request('HEAD', '/v1/events')).status).toBe(200)
})

test('include brings full linkage, no duplicates, and stays present when empty', async () => {
  await using world = await worlds.open()
  const { json } = await world.request('GET', '/v1/events?include=sessions.event,sessions.track.event,tracks')
  const key = (one: { type: string; id: string }) => `${one.type} ${one.id}`
  const all = [...json.data, ...json.included].map(key)
  expect(new Set(all).size).toBe(all.length)
  const linked = new Set(
    [...json.data, ...json.included].flatMap((one) =>
      Object.values(one.relationships as Record<string, { data?: unknown }>).flatMap(({ data }) =>
        [data ?? []].flat().map((to) => key(to as never)),
      ),
    ),
  )
  for (const one of json.included) expect(linked).toContain(key(one))
  expect((await world.request('GET', '/v1/events/2?include=sponsors')).json.included).toEqual([])
  expect((await world.request('GET', '/v1/events/2?include=')).json.included).toEqual([])
  expect((await world.request('GET', '/v1/events/2')).json).not.toHaveProperty('included')
})

test('an include of more than it may bring is refused, not cut', async () => {
  await using world = await worlds.open()
  const rows = Array.from({ length: 1001 }, (_, index) => ({ event_id: 2, title: `Session ${index}` }))
  await world.service.db.insertInto('sessions').values(rows).execute()
  const { status, json } = await world.request('GET', '/v1/events/2?include=sessions')
  expect({ status, source: json.errors[0].source }).toEqual({ status: 400, source: { parameter: 'include' } })
  expect((await world.request('GET', '/v1/events/2/sessions')).json.meta.count).toBe(1002)
})

test('sparse fieldsets are kept to', async () => {
  await using world = await worlds.open()
  const { json } = await world.request(
    'GET',
    '/v1/sessions/1?fields[sessions]=title,track&fields[tracks]=&include=track',
  )
  expect(Object.keys(json.data.attributes)).toEqual(['title'])
  expect(Object.keys(json.data.relationships)).toEqual(['track'])
  expect(json.included).toEqual([{ type: 'tracks', id: '1', links: { self: '/v1/tracks/1' } }])
})

test('sorts, filters and pages', async () => {
  await using world = await worlds.open()
  const ids = async (query: string) =>
    (await world.request('GET', `/v1/sessions?fields[sessions]=title&${query}`)).json.data.map((one: { id: string }) =>
      Number(one.id),
    )
  expect(await ids('sort=-id')).toEqual([5, 4, 3, 2, 1])
  expect(await ids('sort=level,-title')).toEqual(
    [1, 3, 2, 5, 4].toSorted((a, b) => [1, 3, 2, 5, 4].indexOf(a) - [1, 3, 2, 5, 4].indexOf(b)),
  )
  expect(await ids('filter[level]=intermediate')).toEqual([2, 4, 5])
  expect(await ids('filter[level][in]=beginner,advanced')).toEqual([1, 3])
  expect(await ids('filter[title][like]=COMMIT')).toEqual([2])
  expect(await ids('filter[title][like]=%25')).toEqual([])
  expect(await ids('filter[starts-at][ge]=2027-05-09T00:00:00Z')).toEqual([4, 5])
  expect(await ids('filter[event]=2')).toEqual([5])
  expect(await ids('filter[speakers]=1')).toEqual([1, 4])
  expect(await ids('filter[subtitle]=')).toEqual([2, 3, 4, 5])
  expect(await ids('page[size]=2&page[number]=3')).toEqual([5])
  expect(await ids('page[size]=2&page[number]=9')).toEqual([])
  const { json } = await world.request('GET', '/v1/sessions?page[size]=2&page[number]=2&sort=-id')
  expect(json.meta.count).toBe(5)
  expect(json.links).toMatchObject({
    prev: expect.stringContaining('page[number]=1'),
    next: expect.stringContaining('page[number]=3'),
    last: expect.stringContaining('page[number]=3'),
  })
  expect(json.links.next).toContain('sort=-id')
  const past = await world.request('GET', '/v1/sessions?page[size]=2&page[number]=9')
  expect(past.json.meta.count).toBe(5)
  expect((await world.request('GET', '/v1/sessions?page[size]=2')).json.links.prev).toBeNull()
})

test('rows of others stay out of lists and includes', async () => {
  await using world = await worlds.open()
  const roles = async (as?: 'member' | 'organiser') =>
    (await world.request('GET', '/v1/events/1?include=roles,owner', { as })).json.included.length
  expect(await roles()).toBe(0)
  expect(await roles('member')).toBe(0)
  expect(await roles('organiser')).toBe(2)
  expect(
    (await world.request('GET', '/v1/users', { as: 'member' })).json.data.map((one: { id: string }) => one.id),
  ).toEqual(['3'])
  expect((await world.request('GET', '/v1/users')).status).toBe(401)
  expect((await world.request('GET', '/v1/users/1', { as: 'member' })).status).toBe(403)
  expect(
    (await world.request('PATCH', '/v1/events/1', { as: 'member', body: { data: { type: 'events', id: '1' } } }))
      .status,
  ).toBe(403)
})

test('each answer carries a request id, also when something breaks', async () => {
  await using world = await worlds.open()
  const given = await world.request('GET', '/v1/events', { headers: { 'x-request-id': 'abc-123' } })
  expect(given.headers.get('x-request-id')).toBe('abc-123')
  await world.service.db.schema.dropTable('sponsors').execute()
  const broken = await world.request('GET', '/v1/sponsors')
  expect(broken.status).toBe(500)
  expect(broken.json.errors[0]).toEqual({
    status: '500',
    code: 'internal',
    title: 'Internal error',
    detail: expect.any(String),
  })
  expect(broken.text).not.toContain('relation')
  expect(broken.json.meta['request-id']).toBe(broken.headers.get('x-request-id'))
})
