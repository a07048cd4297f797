import { peer, record } from '@org/bench'
import { sniff } from '@org/content-sniff'
import { fileTypeFromBuffer } from 'file-type'

import type { Sample } from '../test/corpus/sample.ts'
import { median } from './median.ts'

/** Processor time of a piece of work, in milliseconds. */
async function cpu(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Prints files a second on heads of 64 KiB, beside file-type in the same run, turn by turn. */
export async function headSpeed(samples: readonly Sample[], rounds: number): Promise<void> {
  const heads = samples.map(({ bytes }) => Buffer.concat([bytes]).subarray(0, 65_536))
  const ours: number[] = []
  const theirs: number[] = []
  const each: number[] = []
  const all = async (answer: (head: Uint8Array) => Promise<unknown>): Promise<void> => {
    for (const head of heads) await answer(head)
  }
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await cpu(() => all(sniff)))
    theirs.push(await cpu(() => all(fileTypeFromBuffer)))
  }
  for (const head of heads) {
    let least = Infinity
    for (let call = 0; call < 3; call += 1) least = Math.min(least, await cpu(() => sniff(head)))
    each.push(least)
  }
  const rate = (ms: number): string => Math.round((1000 * heads.length) / ms).toLocaleString('en')
  const p99 = [...each].sort((a, b) => a - b)[Math.floor(each.length * 0.99)] ?? NaN
  const ratios = ours.map((value, round) => value / (theirs[round] ?? NaN))
  const ratio = median(ratios)
  record({
    title: 'heads of 64 KiB: processor time',
    ratio,
    range: [Math.min(...ratios), Math.max(...ratios)],
    peer: peer('file-type', import.meta.url),
  })
  console.log(
    `\nheads up to 64 KiB, processor time: content-sniff ${rate(median(ours))} files/s, file-type ${rate(median(theirs))} files/s (it names fewer), ratio of time ${ratio.toFixed(2)}; p99 ${p99.toFixed(2)} ms`,
  )
}
