import { databasePool } from '@org/container-pg/testing'
import { Client } from 'pg'

import { createApi } from '../src/create-service.ts'
import { openPostgres, openService, percentile } from './server.ts'

/**
 * What a fresh database costs a contract case, from "wants a database" to the answer of its first query: a clone of the
 * pool, against dropping and creating the schema in place as the original does before each request. Paired: one of each
 * in turn.
 */
const ROUNDS = Number(process.env['ROUNDS'] ?? 40)

await using postgres = await openPostgres()
const api = createApi()
const migrate = async (url: string) => {
  await using service = openService(api, url)
  await service.migrate()
}
await using pool = await databasePool({ url: postgres.url, migrate, warm: 4 })
// The original's way needs a database of its own that is emptied and filled again.
await using rebuilt = await pool.acquire()

async function firstQuery(url: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  await client.query('select count(*) from events')
  await client.end()
}

async function clone(): Promise<void> {
  await using database = await pool.acquire()
  await firstQuery(database.url)
}

async function dropAndCreate(): Promise<void> {
  const client = new Client(rebuilt.url)
  await client.connect()
  await client.query('drop schema if exists bullmq cascade; drop schema public cascade; create schema public')
  await client.end()
  await migrate(rebuilt.url)
  await firstQuery(rebuilt.url)
}

const times = { clone: [] as number[], rebuild: [] as number[] }
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, work] of [
    ['clone', clone],
    ['rebuild', dropAndCreate],
  ] as const) {
    const started = performance.now()
    await work()
    times[name].push(performance.now() - started)
  }
}
console.log(`fresh database, ${ROUNDS} of each, ms`)
for (const [name, values] of Object.entries(times)) {
  console.log(
    `  ${name.padEnd(8)} p50 ${percentile(values, 0.5).toFixed(1)}  p95 ${percentile(values, 0.95).toFixed(1)}`,
  )
}
console.log(`  rebuild / clone at p50: ${(percentile(times.rebuild, 0.5) / percentile(times.clone, 0.5)).toFixed(1)}`)
