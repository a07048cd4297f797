import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { peer, record } from '@org/bench'

import { compileTimes, retainedBytes } from './compile.ts'
import { executeTimes } from './execute.ts'
import { type OpenPeers, scoreboard } from './scoreboard.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const copying = { ...peer('kysely', import.meta.url), name: 'by hand behind a plugin that copies the tree, on kysely' }

const peers = new URL('peers/open.mjs', import.meta.url).href
const { openPeers } = (await import(peers)) as { openPeers: OpenPeers }

console.log('Rows that come back, on SQLite:')
const board = await scoreboard(openPeers)
console.table(board)

console.log('Compile, in µs of user time (20th percentile):')
const compiled = compileTimes(values.quick ? 2 : 40)
console.table(compiled)
for (const [shape, times] of Object.entries(compiled)) {
  const own = times['@org/soft-delete']!
  const floor = times['floor: by hand, tree copied']!
  const none = times['no predicate']!
  record({ title: `compile, ${shape}`, ratio: own / floor, goal: { atMost: 1.15 }, peer: copying })
  console.log(`${shape}: ${(own / floor).toFixed(2)} × the floor, ${(own - none).toFixed(2)} µs over no plugin`)
}

console.log('Execute on a database without work, in µs of user time, beside the scenarios above that came out right:')
const executed = await executeTimes(openPeers, values.quick ? 2 : 25)
const zenstack = peer('@zenstackhq/plugin-soft-delete', peers)
for (const shape of Object.keys(compiled)) {
  const [own, theirs] = ['@org/soft-delete', zenstack.name].map((name) => executed[name]![shape]!)
  record({ title: `build and execute, ${shape}`, ratio: own! / theirs!, peer: zenstack })
}
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
const queries = values.quick ? 10_000 : 1_000_000
console.log(`Kept after ${queries} queries: ${(retainedBytes(collect, queries) / 1024).toFixed(0)} KiB`)
