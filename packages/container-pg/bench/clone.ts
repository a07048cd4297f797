import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'

import { startEmbeddedPostgres } from '../src/embedded/index.ts'
import { databasePool } from '../src/testing/index.ts'
import { addressIn, FIRST_QUERY, migrate, run, SCHEMA, seed, SEED, versionOf } from './schema.ts'
import { interleaved, report, timed } from './stats.ts'

const WORKERS = 4
const TEMPLATE = 'bench_template'

/** Lets worker processes take databases at once. */
async function workers(url: string, way: string, rounds: number, workMs: number): Promise<number[]> {
  const children = Array.from({ length: WORKERS }, () =>
    fork(path.join(import.meta.dirname, 'taker.ts'), [url, way, String(rounds), String(workMs), TEMPLATE]),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const answers = Promise.all(children.map((child) => once(child, 'message')))
  const exits = Promise.all(children.map((child) => once(child, 'exit')))
  for (const child of children) child.send('go')
  const times = ((await answers) as [number[]][]).flatMap(([own]) => own)
  const failed = ((await exits) as [number | null][]).filter(([code]) => code !== 0)
  if (failed.length > 0) throw new Error(`${failed.length} workers failed`)
  return times
}

/** Goal 3: an isolated database up to its first query, beside making the schema anew and beside Postgres by hand. */
export async function benchClone(where: string, rounds: number): Promise<void> {
  const dataDir = mkdtempSync(path.join(where, 'cpg-bench-'))
  try {
    await using server = await startEmbeddedPostgres({ dataDir, durable: false })
    const { url } = server
    const version = await versionOf(url)
    const place = where.startsWith('/dev/shm') ? 'in memory' : 'on disk'
    await run(url, `CREATE DATABASE ${TEMPLATE}`)
    await migrate(addressIn(url, TEMPLATE))
    await seed(addressIn(url, TEMPLATE))
    await using pool = await databasePool({ url, migrate, seed })
    const anew = `DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${SCHEMA} ${SEED} ${FIRST_QUERY}`
    report(
      `Isolated database in ${where}, one at a time: call to first query`,
      await interleaved(rounds, {
        'drop schema, create, seed': () => timed(() => run(url, anew)),
        'databasePool acquire': () =>
          timed(async () => {
            await using database = await pool.acquire()
            await run(database.url, FIRST_QUERY)
          }),
      }),
      [
        {
          title: `isolated database ${place}, one at a time`,
          ours: 'databasePool acquire',
          theirs: 'drop schema, create, seed',
          peer: { name: 'drop schema, create, seed; PostgreSQL', version },
        },
      ],
    )
    for (const [workMs, title] of [
      [0, 'back to back, as fast as they can'],
      [50, 'each working 50 ms with its database'],
    ] as const) {
      const times: Record<string, number[]> = { 'CREATE, query, DROP by hand': [], databasePool: [] }
      for (const [name, way] of [
        ['CREATE, query, DROP by hand', 'plain'],
        ['the same with STRATEGY file_copy', 'files'],
        ['databasePool', 'pool'],
      ] as const) {
        times[name] = await workers(url, way, rounds * 3, workMs)
      }
      report(`${WORKERS} workers (processes) at once in ${where}, ${title}`, times, [
        {
          title: `isolated database ${place}, ${WORKERS} workers ${workMs === 0 ? 'back to back' : 'at work'}`,
          ours: 'databasePool',
          theirs: 'CREATE, query, DROP by hand',
          peer: { name: 'CREATE DATABASE and DROP by hand; PostgreSQL', version },
        },
      ])
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}
