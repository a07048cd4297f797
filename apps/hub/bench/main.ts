import { type Contenders, startBoth } from './contenders.ts'
import { rates } from './rates.ts'
import { servers } from './servers.ts'
import { printTable, type Row } from './table.ts'
import { upkeep } from './upkeep.ts'
import { writes } from './writes.ts'

// Beside the real JupyterHub, in one run: `bench/main.ts [rates] [writes] [servers] [upkeep]`, all without a name.
// Ratios count; the machine's own speed shows in both columns.
const parts: Readonly<Record<string, (hubs: Contenders) => Promise<Row[]>>> = { upkeep, rates, writes, servers }

const wanted = process.argv.slice(2)
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  await using hubs = await startBoth()
  printTable(await part(hubs))
  console.log()
}
