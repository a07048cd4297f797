import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { compileTimes, retainedBytes } from './compile.ts'
import { executeTimes } from './execute.ts'
import { type OpenPeers, scoreboard } from './scoreboard.ts'

const peers = new URL('peers/open.mjs', import.meta.url).href
const { openPeers } = (await import(peers)) as { openPeers: OpenPeers }

console.log('Rows that come back, on SQLite:')
const board = await scoreboard(openPeers)
console.table(board)

console.log('Compile, in µs of user time (20th percentile):')
const compiled = compileTimes()
console.table(compiled)
for (const [shape, times] of Object.entries(compiled)) {
  const own = times['@org/soft-delete']!
  const floor = times['floor: by hand, tree copied']!
  const none = times['no predicate']!
  console.log(`${shape}: ${(own / floor).toFixed(2)} × the floor, ${(own - none).toFixed(2)} µs over no plugin`)
}

console.log('Execute on a database without work, in µs of user time, beside the scenarios above that came out right:')
const executed = await executeTimes(openPeers)
const scenarios = Object.values(board)
const right = (name: string): string =>
  name === 'by hand'
    ? 'as careful as its author'
    : `${scenarios.filter((row) => row[name] === 'right').length} of ${scenarios.length}`
console.table(
  Object.fromEntries(Object.entries(executed).map(([name, times]) => [name, { ...times, right: right(name) }])),
)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
console.log(`Kept after a million queries: ${(retainedBytes(collect) / 1024).toFixed(0)} KiB`)
