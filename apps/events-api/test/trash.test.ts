import { expect, test } from 'vitest'

import { createApi } from '../src/create-service.ts'
import { usePool } from './support/use-pool.ts'

const worlds = usePool('conference')

test('a deleted event is gone for readers and stays for its organisers', async () => {
  await using world = await worlds.open()
  expect(await world.request('DELETE', '/v1/events/1', { as: 'organiser' })).toMatchObject({
    status: 200,
    json: { meta: { message: 'Object successfully deleted', how: 'restorably' } },
  })
  expect((await world.request('GET', '/v1/events/1')).status).toBe(404)
  expect((await world.request('GET', '/v1/events/1', { as: 'organiser' })).status).toBe(404)
  const trashed = await world.request('GET', '/v1/events/1?with_trashed=true', { as: 'organiser' })
  expect(trashed.status).toBe(200)
  expect(trashed.json.data.attributes['deleted-at']).toEqual(expect.any(String))
})

test('a second delete finds nothing and keeps the first moment', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  const first = await world.request('GET', '/v1/events/1?with_trashed=true', { as: 'admin' })
  expect((await world.request('DELETE', '/v1/events/1', { as: 'organiser' })).status).toBe(404)
  const second = await world.request('GET', '/v1/events/1?with_trashed=true', { as: 'admin' })
  expect(second.json.data.attributes['deleted-at']).toBe(first.json.data.attributes['deleted-at'])
})

test('the trash asks who looks: 401 without a session, 403 for a stranger', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  for (const path of [
    '/v1/events/1?with_trashed=true',
    '/v1/events?with_trashed=true',
    '/v1/events?filter[trashed]=only',
  ]) {
    expect((await world.request('GET', path)).status).toBe(401)
    expect((await world.request('GET', path, { as: 'member' })).status).toBe(403)
  }
})

test('an organiser sees the trash of her own events only', async () => {
  await using world = await worlds.open()
  await world.service.db.deleteFrom('event_roles').where('event_id', '=', 2).execute()
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  await world.request('DELETE', '/v1/events/2', { as: 'admin' })
  const ids = async (path: string, as: 'organiser' | 'admin') =>
    (await world.request('GET', path, { as })).json.data.map((event: { id: string }) => event.id)
  expect(await ids('/v1/events?with_trashed=true', 'organiser')).toEqual(['1'])
  expect(await ids('/v1/events?with_trashed=true', 'admin')).toEqual(['1', '2'])
  expect(await ids('/v1/events?only_trashed=true', 'organiser')).toEqual(['1'])
  expect((await world.request('GET', '/v1/events/2?with_trashed=true', { as: 'organiser' })).status).toBe(403)
})

test.each([
  ['with_trashed=1', 400],
  ['with_trashed=True', 400],
  ['with_trashed=', 400],
  ['with_trashed=true&with_trashed=true', 400],
  ['get_trashed=true', 400],
  ['filter[trashed]=yes', 400],
  ['with_trashed=true&only_trashed=true', 400],
  ['filter[trashed]=with', 200],
])('list with %s answers %i', async (query, status) => {
  await using world = await worlds.open()
  expect((await world.request('GET', `/v1/events?${query}`, { as: 'admin' })).status).toBe(status)
})

test('links keep the parameter, and the link of a trashed resource works', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  const { json } = await world.request('GET', '/v1/events?with_trashed=true&page[size]=1', { as: 'organiser' })
  expect(json.meta.count).toBe(2)
  for (const link of [json.links.self, json.links.first, json.links.next, json.links.last]) {
    expect(link).toContain('with_trashed=true')
  }
  expect((await world.request('GET', json.links.next, { as: 'organiser' })).json.data[0].id).toBe('2')
  expect((await world.request('GET', json.data[0].links.self, { as: 'organiser' })).status).toBe(200)
  const { related } = json.data[0].relationships.sessions.links
  expect((await world.request('GET', related, { as: 'organiser' })).json.meta.count).toBe(4)
})

test('what belongs to an event goes and returns with it, and nothing else does', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/sessions/2', { as: 'organiser' })
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  expect((await world.request('GET', '/v1/sessions/1')).status).toBe(404)
  expect((await world.request('GET', '/v1/speakers')).json.meta.count).toBe(1)
  const restored = await world.request('POST', '/v1/events/1/restore', { as: 'organiser' })
  expect(restored.status).toBe(200)
  expect(restored.json.data.attributes['deleted-at']).toBeNull()
  expect((await world.request('GET', '/v1/sessions/1')).status).toBe(200)
  expect((await world.request('GET', '/v1/sessions/2')).status).toBe(404)
  expect((await world.request('GET', '/v1/speakers')).json.meta.count).toBe(5)
})

test('PATCH restores with an explicit null, and not by leaving it out', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  const patch = (attributes: object, query = '?with_trashed=true') =>
    world.request('PATCH', `/v1/events/1${query}`, {
      as: 'organiser',
      body: { data: { type: 'events', id: '1', attributes } },
    })
  expect((await patch({ name: 'New' }, '')).status).toBe(404)
  expect((await patch({ name: 'New' })).status).toBe(409)
  expect((await patch({ 'deleted-at': '2027-01-01T00:00:00Z' })).status).toBe(422)
  const { status, json } = await patch({ 'deleted-at': null, name: 'New' })
  expect(status).toBe(200)
  expect(json.data.attributes).toMatchObject({ name: 'New', 'deleted-at': null })
  expect((await world.request('GET', '/v1/events/1')).status).toBe(200)
})

test('a restore with a live twin is a 409 and changes nothing', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/tracks/1', { as: 'organiser' })
  const twin = {
    data: {
      type: 'tracks',
      attributes: { name: 'Databases', color: '#000000' },
      relationships: { event: { data: { type: 'events', id: '1' } } },
    },
  }
  expect((await world.request('POST', '/v1/tracks', { as: 'organiser', body: twin })).status).toBe(201)
  expect((await world.request('POST', '/v1/tracks/1/restore', { as: 'organiser' })).status).toBe(409)
  expect((await world.request('GET', '/v1/tracks/1')).status).toBe(404)
})

test('a child is not restored under a trashed event', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  expect((await world.request('POST', '/v1/tracks/1/restore', { as: 'organiser' })).status).toBe(409)
})

test('nothing is created under a trashed event', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  const body = {
    data: {
      type: 'sessions',
      attributes: { title: 'Too late' },
      relationships: { event: { data: { type: 'events', id: '1' } } },
    },
  }
  const { status, json } = await world.request('POST', '/v1/sessions', { as: 'organiser', body })
  expect(status).toBe(404)
  expect(json.errors[0].source).toEqual({ pointer: '/data/relationships/event/data' })
})

test('a deletion and a creation below it at once never leave a live child of a trashed parent', async () => {
  await using world = await worlds.open()
  const body = {
    data: {
      type: 'tracks',
      attributes: { name: 'Race', color: '#000000' },
      relationships: { event: { data: { type: 'events', id: '1' } } },
    },
  }
  await Promise.all([
    ...Array.from({ length: 6 }, (_, index) =>
      world.request('POST', '/v1/tracks', {
        as: 'organiser',
        body: { data: { ...body.data, attributes: { name: `Race ${index}`, color: '#000000' } } },
      }),
    ),
    world.request('DELETE', '/v1/events/1', { as: 'organiser' }),
  ])
  expect((await world.request('GET', '/v1/tracks?filter[event]=1')).json.meta.count).toBe(0)
})

test('permanent deletion is for administrators, live or trashed, and final', async () => {
  await using world = await worlds.open()
  expect((await world.request('DELETE', '/v1/events/1?permanent=true')).status).toBe(401)
  expect((await world.request('DELETE', '/v1/events/1?permanent=true', { as: 'organiser' })).status).toBe(403)
  expect((await world.request('DELETE', '/v1/events/1?permanent=yes', { as: 'admin' })).status).toBe(400)
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  expect(await world.request('DELETE', '/v1/events/1?permanent=true', { as: 'admin' })).toMatchObject({
    status: 200,
    json: { meta: { how: 'permanently' } },
  })
  expect((await world.request('GET', '/v1/events/1?with_trashed=true', { as: 'admin' })).status).toBe(404)
  expect((await world.request('GET', '/v1/sessions/1?with_trashed=true', { as: 'admin' })).status).toBe(404)
  expect((await world.request('DELETE', '/v1/events/2?permanent_delete=true', { as: 'admin' })).status).toBe(200)
})

test('trashed rows are neither included nor linked, in lists as in details', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/sessions/1', { as: 'organiser' })
  await world.request('DELETE', '/v1/sessions/2', { as: 'organiser' })
  // Without `deleted-at` among the fields, and with two trashed rows beside each other: both failed in the original.
  for (const path of ['/v1/events/1', '/v1/events']) {
    const { json } = await world.request('GET', `${path}?include=sessions&fields[sessions]=title`)
    const included = json.included.map((one: { id: string }) => one.id)
    expect(included).not.toContain('1')
    expect(included).not.toContain('2')
    const [event] = [json.data].flat()
    expect(event.relationships.sessions.data.map((one: { id: string }) => one.id)).toEqual(['3', '4'])
  }
  await world.request('DELETE', '/v1/tracks/3', { as: 'organiser' })
  const session = await world.request('GET', '/v1/sessions/3?include=track')
  expect(session.json.data.relationships.track.data).toBeNull()
  expect((await world.request('GET', '/v1/sessions/3/track')).json.data).toBeNull()
})

test('nothing is linked to a trashed resource', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/tracks/2', { as: 'organiser' })
  await world.request('DELETE', '/v1/speakers/2', { as: 'organiser' })
  const link = (path: string, data: unknown) => world.request('PATCH', path, { as: 'organiser', body: { data } })
  expect((await link('/v1/sessions/1/relationships/track', { type: 'tracks', id: '2' })).status).toBe(404)
  expect((await link('/v1/sessions/1/relationships/speakers', [{ type: 'speakers', id: '2' }])).status).toBe(404)
})

test('relationships of a trashed event answer 404, empty ones 200', async () => {
  await using world = await worlds.open()
  expect((await world.request('GET', '/v1/events/2/sponsors')).json).toMatchObject({ data: [], meta: { count: 0 } })
  await world.request('DELETE', '/v1/events/2', { as: 'organiser' })
  expect((await world.request('GET', '/v1/events/2/sponsors')).status).toBe(404)
})

test('a trashed user is signed out and cannot sign in', async () => {
  await using world = await worlds.open()
  expect((await world.request('GET', '/v1/users/3', { as: 'member' })).status).toBe(200)
  expect((await world.request('DELETE', '/v1/users/3', { as: 'admin' })).status).toBe(200)
  expect((await world.request('GET', '/v1/users/3', { as: 'member' })).status).toBe(401)
})

test('the trash can be turned off for one resource', async () => {
  await using world = await worlds.open(createApi(undefined, { softDelete: { off: ['sponsors'] } }))
  expect((await world.request('GET', '/v1/sponsors?with_trashed=true', { as: 'admin' })).status).toBe(400)
  expect(await world.request('DELETE', '/v1/sponsors/1', { as: 'organiser' })).toMatchObject({
    status: 200,
    json: { meta: { how: 'permanently' } },
  })
  expect(
    await world.service.db.withoutPlugins().selectFrom('sponsors').select('id').where('id', '=', 1).execute(),
  ).toEqual([])
  expect((await world.request('POST', '/v1/sponsors/2/restore', { as: 'admin' })).status).toBe(404)
  expect(await world.request('DELETE', '/v1/tracks/1', { as: 'organiser' })).toMatchObject({
    json: { meta: { how: 'restorably' } },
  })
})

test('the trash can be turned off for the whole API, and shows nothing that it held', async () => {
  await using world = await worlds.open(createApi(undefined, { softDelete: false }))
  await world.service.db
    .withoutPlugins()
    .updateTable('events')
    .set({ deleted_at: new Date() })
    .where('id', '=', 2)
    .execute()
  expect((await world.request('GET', '/v1/events/2')).status).toBe(404)
  expect((await world.request('GET', '/v1/events')).json.meta.count).toBe(1)
  expect(await world.request('DELETE', '/v1/events/1', { as: 'organiser' })).toMatchObject({
    json: { meta: { how: 'permanently' } },
  })
  expect((await world.request('DELETE', '/v1/tracks/1?permanent=true', { as: 'admin' })).status).toBe(400)
})
