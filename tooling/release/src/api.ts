/**
 * `pnpm api:report` writes each package's public types beside it; `pnpm api:check [--since REVISION]` fails when a
 * report is stale, or when a change since the revision lacks a changeset of the right size. Both read built packages.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { refusals } from './api-guard.ts'
import { formatReport, readSurface } from './api-report.ts'
import { changesSince, reportFile } from './changes.ts'
import { publishedPackages } from './packages.ts'
import { root } from './workspace.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { since: { type: 'string' } } })
const [command] = positionals
if (command !== 'report' && command !== 'check') {
  console.error('Usage: api.ts report | check [--since REVISION]')
  process.exit(2)
}

const packages = publishedPackages(root)
const complaints: string[] = []
for (const item of packages) {
  const report = formatReport(item.name, readSurface(item.declarations))
  const file = path.join(item.dir, reportFile)
  if (command === 'report') writeFileSync(file, report)
  else if (report !== readReport(file)) {
    complaints.push(`${item.folder}/${reportFile} is stale: run \`npx pnpm api:report\` and commit it.`)
  }
}
if (command === 'check' && values.since !== undefined) {
  complaints.push(...refusals(changesSince(root, values.since, packages)))
}
for (const complaint of complaints) console.error(complaint)
if (complaints.length > 0) process.exitCode = 1

function readReport(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
