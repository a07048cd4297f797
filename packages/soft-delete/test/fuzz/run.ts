import { parseArgs } from 'node:util'

import { softDeleteDialect } from '../../src/dialect/dialect.ts'
import { softDeletePlugin } from '../../src/plugin.ts'
import { type FuzzDatabase, openPostgres, openSqlite, TRASH } from './engines.ts'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    queries: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', multiple: true, default: ['sqlite', 'postgres'] },
  },
})
const [queries, seed] = [Number(values.queries), Number(values.seed)]

let mismatches = 0
for (const name of values.only) {
  await using opened = await open(name)
  mismatches += await run(opened.database)
}
process.exitCode = mismatches === 0 ? 0 : 1

async function open(name: string): Promise<{ database: FuzzDatabase } & AsyncDisposable> {
  if (name === 'sqlite') {
    const database = await openSqlite()
    return { database, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
  }
  const url = process.env['DATABASE_URL']
  if (url === undefined) throw new Error('Expected DATABASE_URL to name a PostgreSQL server; or pass --only sqlite')
  const database = await openPostgres(url)
  return { database, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

async function run(database: FuzzDatabase): Promise<number> {
  const start = performance.now()
  const result = await fuzz(database, {
    queries,
    seed,
    plugin: softDeletePlugin(TRASH, { deletes: 'dialect' }),
    wrap: softDeleteDialect,
    stopAfter: 5,
    onProgress: (done) => process.stderr.write(`\r${database.name}: ${done}`),
  })
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  process.stderr.write('\r')
  console.log(
    `${database.name}: ${result.queries} queries, seed ${seed}, ${result.mismatches.length} mismatches, ${result.refused} refused by both sides, ${seconds} s`,
  )
  for (const [feature, count] of [...result.features].toSorted(([a], [b]) => a.localeCompare(b))) {
    console.log(`  ${((100 * count) / result.queries).toFixed(1).padStart(5)} %  ${feature}`)
  }
  for (const { seed: own, sql, expected, got } of result.mismatches) console.log({ seed: own, sql, expected, got })
  return result.mismatches.length
}
