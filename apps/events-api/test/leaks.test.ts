import { expect, test } from 'vitest'

import { until } from './support/until.ts'
import { usePool } from './support/use-pool.ts'
import type { World } from './support/world.ts'

const worlds = usePool('conference')

const idsOf = async (world: World, path: string, as?: 'organiser' | 'member') =>
  (await world.request('GET', path, { as })).json.data.map((one: { id: string }) => one.id)

test('a filter does not tell what a trashed resource was linked to', async () => {
  await using world = await worlds.open()
  const links = ['/v1/speakers?filter[sessions]=2', '/v1/events?filter[sessions]=2', '/v1/sessions?filter[track]=1']
  expect(await Promise.all(links.map((path) => idsOf(world, path)))).toEqual([['2'], ['1'], ['1', '2']])
  await world.request('DELETE', '/v1/sessions/2', { as: 'organiser' })
  await world.request('DELETE', '/v1/tracks/1', { as: 'organiser' })
  expect(await Promise.all(links.map((path) => idsOf(world, path)))).toEqual([[], [], []])
  expect(await Promise.all(links.map((path) => idsOf(world, `${path}&with_trashed=true`, 'organiser')))).toEqual([
    ['2'],
    ['1'],
    ['1', '2'],
  ])
})

test('a filter does not tell what somebody may not read', async () => {
  await using world = await worlds.open()
  for (const path of ['/v1/events?filter[owner]=2', '/v1/events?filter[roles]=1']) {
    expect(await idsOf(world, path)).toEqual([])
    expect(await idsOf(world, path, 'member')).toEqual([])
    expect(await idsOf(world, path, 'organiser')).toContain('1')
  }
})

test('beside trashed resources stand the live ones that they are linked to', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/tracks/1', { as: 'organiser' })
  const { json } = await world.request('GET', '/v1/tracks?only_trashed=true&include=event', { as: 'organiser' })
  expect(json.data[0].relationships.event.data).toEqual({ type: 'events', id: '1' })
  expect(json.included.map((one: { type: string; id: string }) => `${one.type} ${one.id}`)).toEqual(['events 1'])
})

test('an export is out of reach for whoever organises its event no more', async () => {
  await using world = await worlds.open()
  await world.work()
  const body = { data: { type: 'exports', relationships: { event: { data: { type: 'events', id: '1' } } } } }
  await world.request('POST', '/v1/exports', { as: 'organiser', body })
  const read = async (path: string) => (await world.request('GET', path, { as: 'organiser' })).status
  await until('export', async () => ((await read('/v1/exports/1/file')) === 200 ? true : undefined))
  await world.request('DELETE', '/v1/event-roles/1', { as: 'admin' })
  await world.request('DELETE', '/v1/events/1', { as: 'admin' })
  expect([await read('/v1/exports/1/file'), await read('/v1/exports/1')]).toEqual([403, 403])
  expect(await idsOf(world, '/v1/exports', 'organiser')).toEqual([])
})
