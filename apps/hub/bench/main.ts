import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'

import { type BenchSize, type Contenders, startBoth } from './contenders.ts'
import { rates } from './rates.ts'
import { servers } from './servers.ts'
import { keep, printTable, type Row } from './table.ts'
import { upkeep } from './upkeep.ts'
import { writes } from './writes.ts'

// Beside the real JupyterHub, in one run: `bench/main.ts [--quick] [rates] [writes] [servers] [upkeep]`, all without a name.
// Ratios count; the machine's own speed shows in both columns.
const parts: Readonly<Record<string, (hubs: Contenders, size: BenchSize) => Promise<Row[]>>> = {
  upkeep,
  rates,
  writes,
  servers,
}

const { values, positionals: wanted } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const size = values.quick ? { warmMs: 300, loadMs: 300, times: 2 } : { warmMs: 4000, loadMs: 1500, times: 9 }
const peer = { name: 'JupyterHub', version: execFileSync('jupyterhub', ['--version'], { encoding: 'utf8' }).trim() }
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  await using hubs = await startBoth()
  const rows = await part(hubs, size)
  printTable(rows)
  keep(rows, peer)
  console.log()
}
