// 100,000 mutated files and every hostile head: nothing may throw, nothing may take long.
// Usage: pnpm --filter @org/content-sniff mutants [count] [seed]
import { sniff } from '@org/content-sniff'

import { binarySamples } from '../test/corpus/binary-samples.ts'
import { containerSamples } from '../test/corpus/container-samples.ts'
import { encodedSamples } from '../test/corpus/encoders.ts'
import { textSamples } from '../test/corpus/text-samples.ts'
import { dice, hostileHeads, mutate } from './mutate.ts'

const count = Number(process.argv[2] ?? 100_000)
const seed = Number(process.argv[3] ?? 1)

/** Processor time of one call, in milliseconds; other processes do not count. */
async function cost(head: Uint8Array): Promise<number> {
  const before = process.cpuUsage()
  await sniff(head)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const samples = [
  ...textSamples(),
  ...containerSamples(),
  ...binarySamples(),
  ...(await encodedSamples(['pictures', 'media', 'archives'])),
].map(({ bytes }) => bytes.subarray(0, 65_536))
for (const bytes of samples) await sniff(bytes)

const roll = dice(seed)
const slow: (readonly [ms: number, bytes: Uint8Array])[] = []
let thrown = 0
let failed = 0
let over = 0
for (let index = 0; index < count; index += 1) {
  const bytes = mutate(
    samples[roll(samples.length)] ?? new Uint8Array(1),
    samples[roll(samples.length)] ?? new Uint8Array(1),
    roll,
  )
  const before = process.cpuUsage()
  try {
    const { flags } = await sniff(bytes)
    if (flags.includes('DETECTOR_FAILED')) failed += 1
  } catch (error) {
    thrown += 1
    console.log('thrown', error)
  }
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1000
  if (ms > 250) over += 1
  if (ms > 10) slow.push([ms, Buffer.from(bytes)])
}

/** The collector runs whenever it likes; the least of several calls is the input's own cost. */
async function ownCost(head: Uint8Array): Promise<number> {
  let least = Infinity
  for (let call = 0; call < 5; call += 1) least = Math.min(least, await cost(head))
  return least
}

let worstMutant = 0
for (const [, bytes] of slow) worstMutant = Math.max(worstMutant, await ownCost(bytes))
let worst: readonly [ms: number, name: string] = [0, '']
for (const [name, head] of hostileHeads()) {
  const ms = await ownCost(head)
  if (ms > worst[0]) worst = [ms, name]
}
console.log(
  `${count} mutants of ${samples.length} files, seed ${seed}: ${thrown} thrown, ${over} over 250 ms, ${failed} flagged DETECTOR_FAILED`,
)
console.log(
  `own cost of the slowest mutant: ${worstMutant === 0 ? 'under 10' : worstMutant.toFixed(1)} ms; of ${hostileHeads().length} hostile heads of 64 KiB: ${worst[0].toFixed(1)} ms (${worst[1]})`,
)
process.exitCode = thrown > 0 || over > 0 || worst[0] > 20 ? 1 : 0
