import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { muted, record } from '@org/task-context/signals'
import ICAL from 'ical.js'
import { expect, test } from 'vitest'

import { pruneTrash } from '../src/jobs/definitions.ts'
import { removeOrphans } from '../src/jobs/remove-orphans.ts'
import { until } from './support/until.ts'
import { usePool } from './support/use-pool.ts'
import { type World } from './support/world.ts'
import { unzip } from './support/zip.ts'

const worlds = usePool('conference')

const event = (identifier: string, more: object = {}) => ({
  data: {
    type: 'events',
    attributes: {
      name: 'Night of the Rows',
      identifier,
      'starts-at': '2027-07-01T18:00:00Z',
      'ends-at': '2027-07-01T22:00:00Z',
      timezone: 'Europe/Lisbon',
      ...more,
    },
  },
})

const exportOf = (id: string) => ({
  data: { type: 'exports', relationships: { event: { data: { type: 'events', id } } } },
})

/** Jobs that wait or have run. */
async function countJobs(world: World): Promise<number> {
  const counts = await world.service.tasks.queue('default')!.getJobCounts()
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** Waits until nothing waits. */
const settled = (world: World) =>
  until('jobs done', async () => {
    const counts = await world.service.tasks
      .queue('default')!
      .getJobCounts('waiting', 'active', 'delayed', 'prioritized')
    return Object.values(counts).every((count) => count === 0) ? true : undefined
  })

async function finished(world: World, taskId: string): Promise<Record<string, string>> {
  return until(`task ${taskId}`, async () => {
    const { json } = await world.request('GET', `/v1/tasks/${taskId}`, { as: 'organiser' })
    return json.data.attributes.state === 'waiting' ? undefined : json.data.attributes
  })
}

test('an export is a zip of JSON and iCalendar that other parsers read', async () => {
  await using world = await worlds.open()
  await world.request('DELETE', '/v1/sessions/4', { as: 'organiser' })
  await world.work()
  const created = await world.request('POST', '/v1/exports?', { as: 'organiser', body: exportOf('1') })
  expect(created.status).toBe(201)
  expect((await world.request('GET', '/v1/exports/1/file', { as: 'organiser' })).status).toBe(404)
  const task = await world.request('GET', created.json.data.relationships.task.links.related, { as: 'organiser' })
  const outcome = await finished(world, task.json.data.id)
  expect(outcome).toMatchObject({ state: 'done', result: '/v1/exports/1/file', error: null })

  const token = await world.tokenOf('organiser')
  const response = await fetch(world.url + outcome['result'], { headers: { authorization: `Bearer ${token}` } })
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="event-1.zip"')
  const files = await unzip(Buffer.from(await response.arrayBuffer()))
  const sessions = JSON.parse(files.get('sessions.json') ?? '') as { data: { id: string }[] }
  expect(sessions.data.map(({ id }) => id)).toEqual(['1', '2', '3'])
  expect(JSON.parse(files.get('event.json') ?? '')).toMatchObject({
    data: [{ attributes: { name: 'FOSS Summit Lisbon' } }],
  })

  const calendar = new ICAL.Component(ICAL.parse(files.get('event.ics') ?? '') as unknown[])
  const entries = calendar.getAllSubcomponents('vevent').map((entry) => new ICAL.Event(entry))
  expect(entries.map(({ summary }) => summary)).toEqual([
    'FOSS Summit Lisbon',
    'Rows that come back',
    'What a commit promises',
    'A thousand first contributions',
  ])
  expect(entries[1]?.startDate.toJSDate().toISOString()).toBe('2027-05-08T09:00:00.000Z')
  expect(entries[1]?.location).toBe('Auditorium, Pavilhão do Conhecimento, Lisboa')
  expect((await world.request('GET', '/v1/exports/1/file', { as: 'member' })).status).toBe(403)
  expect((await world.request('GET', '/v1/exports/1/file')).status).toBe(401)
})

test('a job whose event is gone is not tried again, and says so in its task and among the dead letters', async () => {
  await using world = await worlds.open()
  await world.request('POST', '/v1/exports', { as: 'organiser', body: exportOf('1') })
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  await world.work()
  expect(await finished(world, '1')).toMatchObject({ state: 'failed', error: 'The event is gone', result: null })
  await settled(world)
  const letters = await world.service.tasks.deadLetters('default')
  expect(letters).toMatchObject([
    { name: 'event.export', attempts: 1, reason: expect.stringContaining('The event is gone') },
  ])
}, 60_000)

test('a job of a rolled-back request never runs', async () => {
  await using world = await worlds.open()
  const before = await countJobs(world)
  world.service.signals.event.connect(() => Promise.reject(new Error('no')), { delivery: 'sync' })
  expect((await world.request('POST', '/v1/events', { as: 'organiser', body: event('rolled-back') })).status).toBe(500)
  expect((await world.request('GET', '/v1/events?filter[identifier]=rolled-back')).json.meta.count).toBe(0)
  expect(await countJobs(world)).toBe(before)
})

test('a refused request leaves neither rows nor jobs', async () => {
  await using world = await worlds.open()
  const before = await countJobs(world)
  const twin = event('porto-postgres-evening')
  expect((await world.request('POST', '/v1/events', { as: 'organiser', body: twin })).status).toBe(409)
  const early = event('early', { 'ends-at': '2027-07-01T17:00:00Z' })
  expect((await world.request('POST', '/v1/events', { as: 'organiser', body: early })).status).toBe(422)
  expect(await countJobs(world)).toBe(before)
})

test('a committed request has its jobs in the queue when it answers', async () => {
  await using world = await worlds.open()
  const before = await countJobs(world)
  await world.request('POST', '/v1/events', { as: 'organiser', body: event('night') })
  expect(await countJobs(world)).toBe(before + 2)
})

test('signals tell of each change after its commit, and can be muted and recorded', async () => {
  await using world = await worlds.open()
  const { signals, db } = world.service
  const heard: string[] = []
  signals.event.connect(async ({ id, change }) => {
    const row = await db.selectFrom('events').select('name').where('id', '=', id).executeTakeFirst()
    heard.push(`${change} ${String(row?.['name'])}`)
  })
  await world.request('POST', '/v1/events', { as: 'organiser', body: event('night') })
  await world.request('DELETE', '/v1/events/3', { as: 'organiser' })
  await world.request('POST', '/v1/events/3/restore', { as: 'organiser' })
  await world.request('DELETE', '/v1/events/3?permanent=true', { as: 'admin' })
  expect(heard).toEqual([
    'created Night of the Rows',
    'trashed undefined',
    'restored Night of the Rows',
    'deleted undefined',
  ])
})

test('signals can be muted and recorded in tests, without patching', async () => {
  await using world = await worlds.open()
  const { signals, fetch } = world.service
  const token = await world.tokenOf('organiser')
  const rename = (name: string) => {
    const body = JSON.stringify({ data: { type: 'events', id: '2', attributes: { name } } })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/vnd.api+json' }
    return fetch(new Request('http://localhost/v1/events/2', { method: 'PATCH', headers, body }))
  }
  const before = await countJobs(world)
  expect((await muted([signals.event], () => rename('One'))).status).toBe(200)
  const { sent } = await record(signals.event, () => rename('Two'))
  expect(sent).toEqual([{ id: 2, eventId: 2, change: 'updated' }])
  expect(await countJobs(world)).toBe(before)
})

test('the search index follows a change, the trash and a restore', async () => {
  await using world = await worlds.open()
  await world.work()
  const found = async (words: string) =>
    (await world.request('GET', `/v1/events?filter[search]=${words}`)).json.data.map((one: { id: string }) => one.id)
  await settled(world)
  expect(await found('templates')).toEqual(['2'])
  const data = { type: 'sessions', id: '5', attributes: { title: 'Copies of copies' } }
  await world.request('PATCH', '/v1/sessions/5', { as: 'organiser', body: { data } })
  await settled(world)
  expect([await found('templates'), await found('copies')]).toEqual([[], ['2']])
  await world.request('DELETE', '/v1/events/2', { as: 'organiser' })
  await settled(world)
  expect(await world.service.db.selectFrom('event_search').selectAll().where('event_id', '=', 2).execute()).toEqual([])
  await world.request('POST', '/v1/events/2/restore', { as: 'organiser' })
  await settled(world)
  expect(await found('copies')).toEqual(['2'])
})

test('organisers get mail, as a file where no server is named', async () => {
  await using world = await worlds.open()
  await world.work()
  const data = { type: 'events', id: '2', attributes: { name: 'Renamed' } }
  await world.request('PATCH', '/v1/events/2', { as: 'organiser', body: { data } })
  await settled(world)
  const folder = path.join(world.folder, 'mail')
  const [name = ''] = await readdir(folder)
  const mail = await readFile(path.join(folder, name), 'utf8')
  expect(mail).toContain('To: organiser@example.org')
  expect(mail).toContain('Subject: Event 2 was changed')
})

test('the trash empties itself of what lay there too long, and of files that nobody owns', async () => {
  await using world = await worlds.open()
  const [orphan, owned] = [`${randomUUID()}.png`, `${randomUUID()}.png`]
  const old = new Date(Date.now() - 40 * 86_400_000)
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  await world.request('DELETE', '/v1/events/2', { as: 'organiser' })
  for (const table of [
    'events',
    'sessions',
    'tracks',
    'microlocations',
    'session_types',
    'speakers',
    'sponsors',
    'speakers_calls',
  ]) {
    const idColumn = table === 'events' ? 'id' : 'event_id'
    await world.service.db
      .withoutPlugins()
      .updateTable(table)
      .set({ deleted_at: old })
      .where(idColumn, '=', 1)
      .execute()
  }
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  await world.service.uploaders.files.put(Buffer.from(png, 'base64'), { key: orphan })
  await world.service.uploaders.files.put(Buffer.from(png, 'base64'), { key: owned })
  const row = {
    url: `/files/${owned}`,
    filename: owned,
    media_type: 'image/png',
    size_bytes: 70,
    sha256: '',
    purpose: 'file',
  }
  await world.service.db
    .insertInto('uploads')
    .values({ key: owned, ...row })
    .execute()
  await world.work()
  await world.service.tasks.enqueue(pruneTrash, {})
  await settled(world)
  const ids = await world.service.db.withoutPlugins().selectFrom('events').select('id').execute()
  expect(ids).toEqual([{ id: 2 }])
  expect(await world.service.uploaders.files.store.head(orphan)).toBeDefined()
  await removeOrphans(world.service, 0, new AbortController().signal)
  expect(await world.service.uploaders.files.store.head(orphan)).toBeUndefined()
  expect(await world.service.uploaders.files.store.head(owned)).toBeDefined()
})
