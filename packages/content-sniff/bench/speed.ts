import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { peer, record } from '@org/bench'
import { sniff } from '@org/content-sniff'
import { fileTypeFromBuffer } from 'file-type'

import type { Sample } from '../test/corpus/sample.ts'
import { median, quantile } from './median.ts'

/** Processor time of a piece of work, in milliseconds, with the threads of the collector and of zlib. */
async function cpu(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** What one leaves behind must not be collected on the other's account. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

/** Rounds that are thrown away: until then the compiler is at work, which made either side look twice as slow. */
const WARM_UP = 10

/** Passes over all files in one round, so that a round is long beside the clock's steps. */
const PASSES = 3

/** Prints files a second on heads of 64 KiB, beside file-type in the same run, turn by turn. */
export async function headSpeed(samples: readonly Sample[], rounds: number): Promise<void> {
  const heads = samples.map(({ bytes }) => Buffer.concat([bytes]).subarray(0, 65_536))
  const collect = collector()
  const ours: number[] = []
  const theirs: number[] = []
  const each: number[] = []
  const all = async (answer: (head: Uint8Array) => Promise<unknown>): Promise<void> => {
    for (let pass = 0; pass < PASSES; pass += 1) for (const head of heads) await answer(head)
  }
  const measure = async (answer: (head: Uint8Array) => Promise<unknown>): Promise<number> => {
    collect()
    return cpu(() => all(answer))
  }
  for (let round = -WARM_UP; round < rounds; round += 1) {
    // Whoever comes second may find other caches; both take turns.
    const first = round % 2 === 0 ? await measure(fileTypeFromBuffer) : undefined
    const own = await measure(sniff)
    const peers = first ?? (await measure(fileTypeFromBuffer))
    if (round < 0) continue
    ours.push(own)
    theirs.push(peers)
  }
  for (const head of heads) {
    let least = Infinity
    for (let call = 0; call < 3; call += 1) least = Math.min(least, await cpu(() => sniff(head)))
    each.push(least)
  }
  const rate = (ms: number): string => Math.round((1000 * PASSES * heads.length) / ms).toLocaleString('en')
  const p99 = quantile(each, 0.99)
  const ratios = ours.map((value, round) => value / (theirs[round] ?? NaN))
  const ratio = median(ratios)
  record({
    title: 'heads of 64 KiB: processor time',
    ratio,
    range: [Math.min(...ratios), Math.max(...ratios)],
    peer: peer('file-type', import.meta.url),
  })
  console.log(
    `\nheads up to 64 KiB, processor time, ${rounds} rounds: content-sniff ${rate(median(ours))} files/s, file-type ${rate(median(theirs))} files/s (it names fewer), ratio of time ${ratio.toFixed(2)} (half of the rounds ${quantile(ratios, 0.25).toFixed(2)} to ${quantile(ratios, 0.75).toFixed(2)}); p99 ${p99.toFixed(2)} ms`,
  )
}
