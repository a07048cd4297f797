/**
 * `pnpm coverage` runs all tests with V8's counters; this then compares each package with `coverage.json` and fails when
 * one fell. With `--write` it keeps what was reached and draws the badges.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { badge } from './badge.ts'
import { publishedPackages } from './packages.ts'
import { fallen, type Figures, figuresOf, raised } from './ratchet.ts'
import { root } from './workspace.ts'

const kept = path.join(root, 'coverage.json')
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

const before = read(kept) as Figures
const summary = read(path.join(root, 'coverage', 'coverage-summary.json')) as Parameters<typeof figuresOf>[0]
const after = figuresOf(summary, new Map(publishedPackages(root).map(({ name, dir }) => [name, dir])))
for (const [name, figure] of Object.entries(after)) console.log(`${name}: ${figure} % of lines`)
if (process.argv.includes('--write')) {
  const figures = raised(before, after)
  writeFileSync(kept, `${JSON.stringify(figures, undefined, 2)}\n`)
  const badges = path.join(root, '.github', 'badges')
  mkdirSync(badges, { recursive: true })
  for (const [name, figure] of Object.entries(figures)) {
    writeFileSync(path.join(badges, `coverage-${path.basename(name)}.svg`), badge('coverage', `${figure} %`))
  }
  const lowest = Math.min(...Object.values(figures))
  writeFileSync(path.join(badges, 'coverage.svg'), badge('coverage of each package', `≥ ${lowest} %`))
}
for (const complaint of fallen(before, after)) {
  console.error(complaint)
  process.exitCode = 1
}
