import { once } from 'node:events'
import { connect } from 'node:net'

import { sql } from 'kysely'
import { expect, test } from 'vitest'

import { until } from './support/until.ts'
import { usePool } from './support/use-pool.ts'

const worlds = usePool('conference')

test('a database that ends a connection in the middle of a request ends the request, not the process', async () => {
  await using world = await worlds.open()
  const { signals, db } = world.service
  signals.event.connect(
    async () => {
      const { rows } = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and state = 'idle in transaction'`.execute(db)
      expect(rows).toHaveLength(1)
      // The news is there before the next statement: the connection breaks while nobody asks it anything.
      await until('connection gone', async () => {
        const left = await sql`
          select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`.execute(
          db,
        )
        return left.rows.length === 0 ? true : undefined
      })
    },
    { delivery: 'sync' },
  )
  const body = { data: { type: 'events', id: '1', attributes: { name: 'Renamed' } } }
  const answer = await world.request('PATCH', '/v1/events/1', { as: 'organiser', body })
  expect(answer).toMatchObject({ status: 503, json: { errors: [{ code: 'unavailable' }] } })
  const { json } = await world.request('GET', '/v1/events/1')
  expect(json.data.attributes.name).toBe('FOSS Summit Lisbon')
})

test('a client that goes away in the middle of a document is not taken for a database that does', async () => {
  await using world = await worlds.open()
  const { hostname, port } = new URL(world.url)
  const token = await world.tokenOf('organiser')
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const failed = async (status: string) =>
    (await world.service.metrics.text()).includes(`operation="createEvent",method="POST",status="${status}"`)
  socket.write(
    `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
      'Content-Type: application/vnd.api+json\r\nContent-Length: 1000\r\n\r\n{"data"',
  )
  await until('request there', async () =>
    (await world.service.metrics.text()).includes('http_requests_in_flight 1') ? true : undefined,
  )
  socket.destroy()
  const status = await until('request over', async () => {
    for (const one of ['400', '500', '503']) if (await failed(one)) return one
    return undefined
  })
  expect(status).toBe('400')
  expect(world.trouble).toEqual([])
})
