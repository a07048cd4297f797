import { parseArgs } from 'node:util'

import { runChaos } from './chaos/run.ts'
import { withDatabase } from './support/database.ts'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '20' },
    driver: { type: 'string', default: 'redis,postgres' },
    seed: { type: 'string', default: String(Math.trunc(Math.random() * 2 ** 31)) },
  },
})
const [jobs, kills, seed] = [Number(values.jobs), Number(values.kills), Number(values.seed)]
let failed = false
for (const driver of values.driver.split(',')) {
  if (driver !== 'redis' && driver !== 'postgres') throw new RangeError(`Expected redis or postgres, got ${driver}`)
  console.log(`${driver}: ${jobs} jobs, ${kills} kills, --seed ${seed}`)
  const result = await withDatabase((url) => runChaos({ driver, url, jobs, kills, seed, log: console.log }))
  console.log(`${driver}: ${result.lost} lost, ${result.doubled} doubled, ${result.seconds} s, kills`, result.kills)
  failed ||= result.lost > 0 || result.doubled > 0
}
process.exitCode = failed ? 1 : 0
