import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { createUploader, DiskStore, sniff } from '@org/content-sniff'
import { fileTypeFromBuffer } from 'file-type'

import type { Sample } from '../test/corpus/sample.ts'

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** Processor time of a piece of work, in milliseconds. */
async function cpu(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Prints files a second on heads of 64 KiB, beside file-type in the same run, turn by turn. */
export async function headSpeed(samples: readonly Sample[]): Promise<void> {
  const heads = samples.map(({ bytes }) => Buffer.concat([bytes]).subarray(0, 65_536))
  const ours: number[] = []
  const theirs: number[] = []
  const each: number[] = []
  const all = async (answer: (head: Uint8Array) => Promise<unknown>): Promise<void> => {
    for (const head of heads) await answer(head)
  }
  for (let round = 0; round < 7; round += 1) {
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
  const ratio = median(ours.map((value, round) => value / (theirs[round] ?? NaN)))
  console.log(
    `\nheads up to 64 KiB, processor time: content-sniff ${rate(median(ours))} files/s, file-type ${rate(median(theirs))} files/s (it names fewer), ratio of time ${ratio.toFixed(2)}; p99 ${p99.toFixed(2)} ms`,
  )
}

async function* repeat(chunk: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let count = 0; count < times; count += 1) yield chunk
}

/** Prints what an upload costs beside a plain pipeline into the same folder, turn by turn. */
export async function uploadOverhead(megabytes: number): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'content-sniff-bench-'))
  const source = path.join(folder, 'source')
  const chunk = Buffer.alloc(1024 * 1024, 'some text, and more of it; ')
  await pipeline(Readable.from(repeat(chunk, megabytes)), createWriteStream(source))
  const policy = { maxBytes: Infinity } as const
  const plain: number[] = []
  const variants = [
    ['stream', 'none', []],
    ['stream', 'sha256', []],
    ['file handle', 'none', []],
  ] as const satisfies readonly (readonly [string, 'none' | 'sha256', readonly number[]])[]
  const wall = async (work: () => Promise<unknown>): Promise<number> => {
    const from = performance.now()
    await work()
    return performance.now() - from
  }
  const flushed = async (file: string): Promise<void> => {
    await pipeline((await open(source)).createReadStream({ highWaterMark: 262_144 }), createWriteStream(file))
    const handle = await open(file, 'r+')
    await handle.sync()
    await handle.close()
  }
  const times = new Map<string, number[]>()
  try {
    for (let round = 0; round < 5; round += 1) {
      plain.push(await wall(() => flushed(path.join(folder, 'plain'))))
      for (const [kind, digest] of variants) {
        const uploads = createUploader({ store: new DiskStore({ root: path.join(folder, 'store') }), policy, digest })
        const handle = await open(source)
        const input = kind === 'stream' ? handle.createReadStream({ highWaterMark: 262_144 }) : handle
        const name = `${kind}, digest ${digest}`
        times.set(name, [
          ...(times.get(name) ?? []),
          await wall(async () => uploads.delete((await uploads.put(input)).key)),
        ])
        if (kind === 'file handle') await handle.close()
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  console.log(`\nupload of ${megabytes} MB to disk, wall time beside a plain pipeline with one flush, turn by turn:`)
  for (const [name, values] of times) {
    console.log(
      `  ${name}: ${median(values.map((value, round) => value / (plain[round] ?? NaN))).toFixed(2)} of the pipeline`,
    )
  }
}
