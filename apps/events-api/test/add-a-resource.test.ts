import { expect, test } from 'vitest'

import { createApi } from '../src/create-service.ts'
import { openApiDocument } from '../src/openapi/document.ts'
import { text } from '../src/resources/attributes.ts'
import { resources } from '../src/resources/registry.ts'
import { defineResource, toOne } from '../src/resources/resource.ts'
import { createTable, referenceIndex } from '../src/resources/table.ts'
import { compile } from './contract/compile.ts'
import { usePool } from './support/use-pool.ts'

const worlds = usePool('conference')

/** The resource of the README. */
const faqs = defineResource({
  type: 'faqs',
  singular: 'faq',
  description: 'A question that many ask, with its answer.',
  table: 'faqs',
  softDelete: true,
  eventColumn: 'event_id',
  access: { read: 'anyone', create: 'organiser', update: 'organiser', remove: 'organiser' },
  attributes: {
    question: text({ required: true, description: 'The question.', example: 'Is there coffee?' }),
    answer: text({ required: true, max: 5000, description: 'The answer.', example: 'Always.' }),
  },
  relationships: { event: toOne('events', 'event_id', { required: true, set: 'once' }) },
  migrations: {
    '2027_01_10_faqs': createTable(
      'faqs',
      `event_id integer not null references events on delete cascade,
       question text not null,
       answer text not null`,
      { trash: true, indexes: [referenceIndex('faqs', 'event_id')] },
    ),
  },
})

test('one declaration brings routes, documentation, contract cases and the trash', async () => {
  const api = createApi([...resources, faqs])
  const document = openApiDocument(api.operations, api.registry)
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/v1/faqs', '/v1/faqs/{id}', '/v1/faqs/{id}/restore', '/v1/faqs/{id}/event']),
  )
  const cases = compile(document).filter(({ path }) => path.startsWith('/v1/faqs'))
  expect(cases.map(({ name }) => name)).toContain('Faqs > Faqs Collection > Create Faq > 422')

  await using world = await worlds.open(api)
  // Its migration runs on a database that was there before, among those that ran already.
  await world.service.migrate()
  const example = cases.find(({ name }) => name === 'Faqs > Faqs Collection > Create Faq')
  const created = await world.request('POST', '/v1/faqs', { as: 'organiser', body: example?.request.body })
  expect(created).toMatchObject({ status: 201, json: { data: { id: '1', attributes: { answer: 'Always.' } } } })
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  expect((await world.request('GET', '/v1/faqs/1')).status).toBe(404)
  await world.request('POST', '/v1/events/1/restore', { as: 'organiser' })
  expect((await world.request('GET', '/v1/faqs/1')).status).toBe(200)
})

test('a declaration that does not fit the others is refused when the service starts', () => {
  const lost = { ...faqs, relationships: { comet: toOne('comets', 'comet_id') } }
  expect(() => createApi([...resources, lost])).toThrow(/faqs\.comet.*comets/)
})

test('each declared attribute and link has its column', async () => {
  await using world = await worlds.open()
  for (const resource of resources) {
    const answer = await world.request('GET', `/v1/${resource.type}`, { as: 'admin' })
    expect({ type: resource.type, status: answer.status }).toEqual({ type: resource.type, status: 200 })
  }
})
