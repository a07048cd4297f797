import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

import { ensurePostgresImage } from '@org/services'

import { createProvisioner } from '../../src/index.ts'
import { dockerCleanup } from '../../src/testing/index.ts'
import { freshAndAgain, type ReadyReport } from './false-ready.ts'

// The long run: `pnpm false-ready --runs 200`. Its last lines say how often "ready" was said too early.
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '200' }, tmp: { type: 'string', default: tmpdir() } },
})
await using cleanup = await dockerCleanup({ suite: 'container-pg-ready', tmpDir: values.tmp })
const storageRoot = await cleanup.folder()
const image = await ensurePostgresImage()
const provisioner = await createProvisioner({ storageRoot, image, labels: cleanup.labels })
const reports: Record<'fresh' | 'again', ReadyReport[]> = { fresh: [], again: [] }
for (let run = 0; run < Number(values.runs); run += 1) {
  const report = await freshAndAgain(provisioner, `ready-${run}`)
  console.log(`run ${run}: ${JSON.stringify(report)}`)
  reports.fresh.push(report.fresh)
  reports.again.push(report.again)
}
for (const [what, list] of [
  ['fresh creates', reports.fresh],
  ['re-attaches', reports.again],
] as const) {
  const wrong = list.filter(({ falselyReady }) => falselyReady).length
  const late = list.map(({ lateMs }) => lateMs).toSorted((a, b) => a - b)
  const at = (share: number) => late[Math.floor((late.length - 1) * share)]?.toFixed(0) ?? '-'
  const most = Math.max(0, ...list.map(({ logins }) => logins))
  console.log(
    `${list.length} ${what}: ${wrong} falsely ready; at most ${most} logins tried; ` +
      `return after the server's own line: median ${at(0.5)} ms, 95 of 100 within ${at(0.95)} ms`,
  )
  if (wrong > 0 || most > 3) process.exitCode = 1
}
