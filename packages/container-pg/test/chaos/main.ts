import { parseArgs } from 'node:util'

import { ensurePostgresImage } from '@org/services'

import { dockerCleanup } from '../../src/testing/index.ts'
import { type Arena, crash, races, seeded } from './chaos.ts'

// The long run: `pnpm chaos --points 50 --races 50 --seed 1`. Its last line says what was lost.
const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '50' },
    races: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    span: { type: 'string', default: '3000' },
  },
})
await using cleanup = await dockerCleanup({ suite: 'container-pg-chaos' })
const arena: Arena = { root: await cleanup.folder(), image: await ensurePostgresImage(), labels: cleanup.labels }
const random = seeded(Number(values.seed))
const total = { points: 0, acknowledged: 0, lost: 0, orphans: 0, bricked: 0 }
for (let point = 0; point < Number(values.points); point += 1) {
  const victim = point % 2 === 0 ? 'provisioner' : 'container'
  const after = point % 4 < 2 ? 'start' : 'created'
  const report = await crash(arena, victim, { after, ms: Math.round(random() * Number(values.span)) }, `crash-${point}`)
  console.log(`crash ${point}: ${JSON.stringify(report)}`)
  total.points += 1
  total.acknowledged += report.acknowledged
  total.lost += report.lost
  total.orphans += report.orphans
  total.bricked += Number(report.bricked)
}
const rounds: { winners: number; refusal: string; loserMs: number }[] = []
for await (const report of races(arena, Number(values.races))) {
  console.log(`race ${rounds.length}: ${JSON.stringify(report)}`)
  rounds.push(report)
}
const fair = rounds.filter(({ winners, refusal }) => winners === 1 && refusal === 'STORAGE_IN_USE').length
const slowest = Math.max(0, ...rounds.map(({ loserMs }) => loserMs))
console.log(
  `${total.points} kills: ${total.acknowledged} rows acknowledged, ${total.lost} lost, ${total.bricked} folders bricked, ` +
    `${total.orphans} orphans; ${rounds.length} races: ${fair} with one winner, slowest refusal ${slowest} ms`,
)
if (total.lost + total.bricked + total.orphans > 0 || fair < rounds.length) process.exitCode = 1
