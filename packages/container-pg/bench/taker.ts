import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

import { Client } from 'pg'

import { databasePool } from '../src/testing/index.ts'
import { addressIn, FIRST_QUERY, migrate, run, seed } from './schema.ts'
import { timed } from './stats.ts'

// One worker of a test run. At a sign it takes a database, asks it once, works with it for a while and gives it back, again
// and again; then it says how long each took from the call to the first answer.
const [url = '', way = '', rounds = '', workMs = '', template = ''] = process.argv.slice(2)

interface Taken extends AsyncDisposable {
  readonly url: string
}

async function byHand(): Promise<AsyncDisposable & { acquire(): Promise<Taken> }> {
  const admin = new Client({ connectionString: url })
  await admin.connect()
  let count = 0
  return {
    async acquire() {
      const name = `by_hand_${process.pid}_${(count += 1)}`
      await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} ${way === 'files' ? 'STRATEGY file_copy' : ''}`)
      return {
        url: addressIn(url, name),
        [Symbol.asyncDispose]: async () => void (await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)),
      }
    },
    [Symbol.asyncDispose]: () => admin.end(),
  }
}

await using source = way === 'pool' ? await databasePool({ url, migrate, seed, version: template }) : await byHand()
process.send?.('ready')
await once(process, 'message')
const times: number[] = []
for (let round = 0; round < Number(rounds); round += 1) {
  let database: Taken | undefined
  times.push(
    await timed(async () => {
      database = await source.acquire()
      await run(database.url, FIRST_QUERY)
    }),
  )
  if (workMs !== '0') await delay(Number(workMs))
  await database?.[Symbol.asyncDispose]()
}
process.send?.(times)
