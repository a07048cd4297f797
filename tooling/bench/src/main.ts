/**
 * `pnpm bench [--quick] [NAME…]`: runs the benches one after the other and writes `bench/results/*.json`, their charts and
 * `bench/README.md`. With `--quick` each bench runs briefly, and what it measures is held against the kept results: that
 * is what CI runs, where a figure would say more about the neighbours than about us.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { chart } from './chart.ts'
import { machine, type Results, rowsOf, stale } from './results.ts'
import { fileOf, page } from './table.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const home = path.join(root, 'bench')
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Results

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})

const benches = globSync('{packages,apps}/*/bench', { cwd: root })
  .sort()
  .map((folder) => {
    const dir = path.dirname(path.join(root, folder))
    return { dir, name: (JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as { name: string }).name }
  })
const unknown = positionals.filter((wanted) => !benches.some(({ name }) => name === wanted))
if (unknown.length > 0) {
  console.error(`Expected names of ${benches.map(({ name }) => name).join(', ')}, got ${unknown.join(', ')}`)
  process.exit(2)
}

const temporary = mkdtempSync(path.join(tmpdir(), 'bench-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
const kept = (name: string) => path.join(home, 'results', `${fileOf(name)}.json`)
const complaints: string[] = []
for (const { name, dir } of benches.filter((each) => positionals.length === 0 || positionals.includes(each.name))) {
  console.log(`\n▸ ${name}`)
  const file = path.join(temporary, fileOf(name))
  writeFileSync(file, '')
  const child = spawn('pnpm', ['run', '--silent', 'bench', ...(values.quick ? ['--quick'] : [])], {
    cwd: dir,
    stdio: 'inherit',
    env: { ...process.env, BENCH_ROWS: file },
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) {
    complaints.push(`${name}: its bench ended with ${code ?? 'a signal'}`)
    continue
  }
  const rows = rowsOf(readFileSync(file, 'utf8'))
  if (values.quick) {
    const before = existsSync(kept(name)) ? read(kept(name)).rows : []
    complaints.push(...stale(before, rows).map((what) => `${name}: ${what}; run \`pnpm bench ${name}\``))
    continue
  }
  const day = new Date().toISOString().slice(0, 10)
  const results: Results = { name, command: `pnpm bench ${name}`, day, machine: machine(), rows }
  mkdirSync(path.dirname(kept(name)), { recursive: true })
  writeFileSync(kept(name), `${JSON.stringify(results, undefined, 2)}\n`)
}
if (!values.quick) {
  const all = globSync('results/*.json', { cwd: home })
    .sort()
    .map((file) => read(path.join(home, file)))
  for (const results of all) writeFileSync(path.join(home, 'results', `${fileOf(results.name)}.svg`), chart(results))
  writeFileSync(path.join(home, 'README.md'), page(all))
}
for (const complaint of complaints) console.error(`✖ ${complaint}`)
process.exitCode = complaints.length > 0 ? 1 : 0
