import { mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'

import { Client } from 'pg'

import { startEmbeddedPostgres } from '../src/embedded/index.ts'
import { databasePool } from '../src/testing/index.ts'
import { interleaved, median, report, timed } from './stats.ts'

const TABLES = 20
const SCHEMA = Array.from(
  { length: TABLES },
  (_, index) =>
    `CREATE TABLE t${index} (id serial PRIMARY KEY, name text, at timestamptz DEFAULT now());
     CREATE INDEX ON t${index} (name); CREATE INDEX ON t${index} (at);`,
).join('\n')
const SEED = Array.from(
  { length: TABLES },
  (_, index) => `INSERT INTO t${index} (name) SELECT md5(i::text) FROM generate_series(1, 50) i;`,
).join('\n')

async function run(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(text)
  await client.end()
}

/** Goal 3: an isolated database up to its first query, beside making the schema anew. */
export async function benchClone(where: string, rounds: number): Promise<void> {
  const dataDir = mkdtempSync(path.join(where, 'cpg-bench-'))
  try {
    await using server = await startEmbeddedPostgres({ dataDir, durable: false })
    const migrate = (url: string) => run(url, SCHEMA)
    const seed = (url: string) => run(url, SEED)
    await using pool = await databasePool({ url: server.url, migrate, seed })
    const take = async () => {
      await using database = await pool.acquire()
      await run(database.url, 'SELECT count(*) FROM t0')
    }
    report(
      `Isolated database in ${where}: call to first query`,
      await interleaved(rounds, {
        'drop schema, create, seed': () =>
          timed(() =>
            run(
              server.url,
              `DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${SCHEMA} ${SEED} SELECT count(*) FROM t0`,
            ),
          ),
        'databasePool acquire': () => timed(take),
      }),
    )
    const times = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const own: number[] = []
        for (let round = 0; round < rounds; round += 1) own.push(await timed(take))
        return own
      }),
    )
    console.log(`  4 takers at once, back to back: median ${median(times.flat()).toFixed(0)} ms, 0 failures`)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}
