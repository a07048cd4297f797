import { peer, record } from '@org/bench'
import { databasePool } from '@org/container-pg/testing'
import { Hono } from 'hono'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'

import { type Api, createApi } from '../src/create-service.ts'
import type { Fetch } from '../src/http/app.ts'
import { listen } from '../src/http/listen.ts'
import type { Tables } from '../src/resources/resource.ts'
import { openPostgres, openService, percentile } from './server.ts'

const REQUESTS = 300
const CONCURRENCY = 8
const hono = peer('hono', import.meta.url).version

/**
 * Requests per second of a list of 20 events with an include, and of one event, against the same statements in bare Hono
 * and Kysely with `JSON.stringify` of the rows. Paired: rounds of each in turn, one process, real HTTP.
 */
export async function requests(rounds: number): Promise<void> {
  await using postgres = await openPostgres()
  const api = createApi()
  await using pool = await databasePool({
    url: postgres.url,
    warm: 0,
    migrate: async (url) => {
      await using service = openService(api, url)
      await service.migrate()
      await sql`
        insert into events (name, identifier, description, starts_at, ends_at, timezone, deleted_at)
        select 'Event ' || n, 'event-' || n, repeat('words ', 20), now(), now() + interval '1 day', 'Europe/Lisbon',
               case when n % 5 = 0 then now() end
        from generate_series(1, 500) n`.execute(service.db)
      await sql`
        insert into tracks (event_id, name, color)
        select 1 + n / 5, 'Track ' || n, '#2a6f97' from generate_series(0, 2499) n`.execute(service.db)
      await sql`analyze`.execute(service.db)
    },
  })
  await using database = await pool.acquire()
  await using service = openService(api, database.url)

  const connections = new pg.Pool({ connectionString: database.url, max: 8 })
  // A database that is dropped ends connections that are just being closed, and says so to them.
  connections.on('error', () => {})
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: connections }) })
  const eventColumns = columnsOf(api, 'events')
  const trackColumns = columnsOf(api, 'tracks')
  const bare = new Hono()
  bare.get('/v1/events', async (context) => {
    const rows = await db
      .selectFrom('events')
      .select(eventColumns)
      .select(sql<string>`count(*) over ()`.as('total'))
      .where('events.deleted_at', 'is', null)
      .orderBy('events.id')
      .limit(20)
      .execute()
    const included = await db
      .selectFrom('tracks')
      .select(trackColumns)
      .where(
        'tracks.event_id',
        'in',
        rows.map((row) => row['id']),
      )
      .where('tracks.deleted_at', 'is', null)
      .orderBy('tracks.id')
      .execute()
    return context.body(JSON.stringify({ data: rows, included }), 200, { 'content-type': 'application/json' })
  })
  bare.get('/v1/events/:id', async (context) => {
    const row = await db
      .selectFrom('events')
      .select(eventColumns)
      .where('events.id', '=', Number(context.req.param('id')))
      .where('events.deleted_at', 'is', null)
      .executeTakeFirst()
    return context.body(JSON.stringify({ data: row }), 200, { 'content-type': 'application/json' })
  })

  const options = { host: '127.0.0.1', port: 0, drainMs: 0, trustProxy: false }
  await using ours = await listen(service.fetch, options)
  await using theirs = await listen(((request) => Promise.resolve(bare.fetch(request))) as Fetch, options)

  console.log(`requests per second, ${rounds} rounds of ${REQUESTS}, ${CONCURRENCY} at a time, median of paired ratios`)
  for (const [name, path] of [
    ['list of 20 with include', '/v1/events?include=tracks'],
    ['one event', '/v1/events/1'],
  ] as const) {
    await round(ours.url + path)
    await round(theirs.url + path)
    const rates = { ours: [] as number[], bare: [] as number[] }
    for (let turn = 0; turn < rounds; turn += 1) {
      rates.ours.push(await round(ours.url + path))
      rates.bare.push(await round(theirs.url + path))
    }
    const ratios = rates.ours.map((rate, index) => rate / (rates.bare[index] ?? Number.NaN))
    const sorted = ratios.toSorted((a, b) => a - b)
    record({
      title: `requests per second, ${name}`,
      ratio: percentile(ratios, 0.5),
      range: [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN],
      ...(name.startsWith('list') && { goal: { atLeast: 0.7 } }),
      peer: { name: `bare hono ${hono} and kysely`, version: peer('kysely', import.meta.url).version },
    })
    const [median, bareMedian] = [percentile(rates.ours, 0.5), percentile(rates.bare, 0.5)]
    console.log(
      `  ${name.padEnd(24)} events-api ${median.toFixed(0)}  bare ${bareMedian.toFixed(0)}  ratio ${percentile(ratios, 0.5).toFixed(2)}`,
    )
  }
  await db.destroy()
}

async function round(url: string): Promise<number> {
  let left = REQUESTS
  const started = performance.now()
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (left > 0) {
        left -= 1
        const response = await fetch(url)
        if (response.status !== 200) throw new Error(`Expected 200, got ${response.status}`)
        await response.arrayBuffer()
      }
    }),
  )
  return (REQUESTS / (performance.now() - started)) * 1000
}

function columnsOf(api: Api, type: string): string[] {
  const resource = api.registry.get(type)!
  const own = Object.keys(resource.attributes).map((name) => name.replaceAll('-', '_'))
  const links = Object.values(resource.relationships).flatMap((one) => (one.kind === 'one' ? [one.column] : []))
  return ['id', 'version', 'created_at', 'updated_at', 'deleted_at', ...own, ...links].map(
    (column) => `${resource.table}.${column}`,
  )
}
