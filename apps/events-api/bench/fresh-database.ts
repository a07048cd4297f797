import { record } from '@org/bench'
import { databasePool } from '@org/container-pg/testing'
import { Client } from 'pg'

import { createApi } from '../src/create-service.ts'
import { openPostgres, openService, percentile } from './server.ts'

/**
 * What a fresh database costs a contract case, from "wants a database" to the answer of its first query: a clone of the
 * pool, against dropping and creating the schema in place as the original does before each request. Paired: one of each
 * in turn.
 */
export async function freshDatabase(rounds: number): Promise<void> {
  await using postgres = await openPostgres()
  const api = createApi()
  const migrate = async (url: string) => {
    await using service = openService(api, url)
    await service.migrate()
  }
  await using pool = await databasePool({ url: postgres.url, migrate, warm: 4 })
  // The original's way needs a database of its own that is emptied and filled again.
  await using rebuilt = await pool.acquire()

  const clone = async () => {
    await using database = await pool.acquire()
    await firstQuery(database.url)
  }

  const dropAndCreate = async () => {
    const client = new Client(rebuilt.url)
    await client.connect()
    await client.query('drop schema if exists bullmq cascade; drop schema public cascade; create schema public')
    await client.end()
    await migrate(rebuilt.url)
    await firstQuery(rebuilt.url)
  }

  const times = { clone: [] as number[], rebuild: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, work] of [
      ['clone', clone],
      ['rebuild', dropAndCreate],
    ] as const) {
      const started = performance.now()
      await work()
      times[name].push(performance.now() - started)
    }
  }
  console.log(`fresh database, ${rounds} of each, ms`)
  for (const [name, values] of Object.entries(times)) {
    console.log(
      `  ${name.padEnd(8)} p50 ${percentile(values, 0.5).toFixed(1)}  p95 ${percentile(values, 0.95).toFixed(1)}`,
    )
  }
  const least = times.clone
    .map((value, round) => value / (times.rebuild[round] ?? Number.NaN))
    .toSorted((a, b) => a - b)
  record({
    title: 'a fresh database, to its first query',
    ratio: percentile(times.clone, 0.5) / percentile(times.rebuild, 0.5),
    range: [least[0] ?? Number.NaN, least.at(-1) ?? Number.NaN],
    peer: { name: 'dropping and creating the schema, PostgreSQL', version: await versionOf(postgres.url) },
  })
  console.log(`  rebuild / clone at p50: ${(percentile(times.rebuild, 0.5) / percentile(times.clone, 0.5)).toFixed(1)}`)
}

async function firstQuery(url: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  await client.query('select count(*) from events')
  await client.end()
}

async function versionOf(url: string): Promise<string> {
  const client = new Client(url)
  await client.connect()
  const { rows } = await client.query<{ server_version: string }>('show server_version')
  await client.end()
  return rows[0]?.server_version ?? ''
}
