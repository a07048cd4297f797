import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { sniff, type SniffResult, sniffStream } from '@org/content-sniff'
import { beforeAll, describe, expect, test } from 'vitest'

import { binarySamples } from './corpus/binary-samples.ts'
import { containerSamples } from './corpus/container-samples.ts'
import { encodedSamples } from './corpus/encoders.ts'
import { EVERYDAY, type Sample, score, type Score } from './corpus/sample.ts'
import { textSamples } from './corpus/text-samples.ts'

interface Tally {
  readonly counts: Record<Score, number>
  readonly misses: string[]
}

async function tally(samples: readonly Sample[], answer: (sample: Sample) => Promise<SniffResult>): Promise<Tally> {
  const counts: Record<Score, number> = { exact: 0, parent: 0, none: 0, wrong: 0 }
  const misses: string[] = []
  for (const sample of samples) {
    const { mime, flags } = await answer(sample)
    const verdict = score(mime, sample.mime)
    counts[verdict] += 1
    if (verdict !== 'exact') misses.push(`${sample.name}: ${sample.mime}, answered ${mime}`)
    const false_alarm = flags.filter((flag) =>
      ['POLYGLOT', 'TRUNCATED', 'TOO_SHORT', 'BOMB', 'DETECTOR_FAILED'].includes(flag),
    )
    if (false_alarm.length > 0) misses.push(`${sample.name}: ${sample.mime}, flagged ${false_alarm.join()}`)
  }
  return { counts, misses }
}

const made = [...textSamples(), ...containerSamples(), ...binarySamples()]
let encoded: readonly Sample[] = []
beforeAll(async () => {
  // Encoders that are not installed leave gaps; what is made above suffices for the numbers below.
  encoded = await encodedSamples(['pictures', 'media', 'archives'])
}, 120_000)

/** Types that a browser may run, by their names, and those whose names only sound so. */
const ACTIVE = /html|svg|\+xml|application\/xml|javascript|php|related/
const INERT = /officedocument|htmlhelp/

async function* singleBytes(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (const byte of bytes) yield Uint8Array.of(byte)
}

describe('on the corpus', () => {
  test('there are enough files of enough types', () => {
    expect(made.length).toBeGreaterThanOrEqual(300)
    expect(new Set(made.map(({ mime }) => mime)).size).toBeGreaterThanOrEqual(80)
  })

  test('files that can be read anywhere are named exactly', async () => {
    const { counts, misses } = await tally([...made, ...encoded], ({ bytes }) => sniff(bytes))
    expect(misses).toEqual([])
    expect(counts.exact).toBe(made.length + encoded.length)
  })

  test('a head of 64 KiB suffices for everyday types', async () => {
    const everyday = [...made, ...encoded].filter(({ mime }) => EVERYDAY.has(mime))
    const { counts } = await tally(everyday, async ({ bytes }) => {
      const { result, stream } = await sniffStream(new Blob([bytes]).stream())
      await stream.cancel()
      return result
    })
    expect(counts.exact / everyday.length).toBeGreaterThanOrEqual(0.95)
    expect(counts.wrong / everyday.length).toBeLessThanOrEqual(0.003)
  })

  test('no active type is missed, and nothing else is called HTML or SVG', async () => {
    const missed: string[] = []
    const alarms: string[] = []
    for (const { bytes, mime, name } of [...made, ...encoded]) {
      const { flags, mime: answer } = await sniff(bytes)
      if (ACTIVE.test(mime)) missed.push(...(flags.includes('ACTIVE') || INERT.test(mime) ? [] : [name]))
      else if (/html|svg/.test(answer)) alarms.push(name)
    }
    expect({ missed, alarms }).toEqual({ missed: [], alarms: [] })
  })

  test('bytes, a Blob, a path and a stream of single bytes give the same answer', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'content-sniff-corpus-'))
    const file = path.join(folder, 'file.bin')
    try {
      for (const { bytes, name } of made.filter((sample, index) => index % 9 === 0 && sample.bytes.length < 50_000)) {
        const result = await sniff(bytes)
        await writeFile(file, bytes)
        const streamed = await sniffStream(singleBytes(bytes))
        const back: Uint8Array[] = []
        for await (const chunk of streamed.stream) back.push(chunk)
        expect({
          name,
          ofPath: await sniff(file),
          ofBlob: await sniff(new Blob([bytes])),
          ofStream: streamed.result,
          afterwards: await streamed.complete,
          unchanged: Buffer.concat(back).equals(bytes),
        }).toEqual({ name, ofPath: result, ofBlob: result, ofStream: result, afterwards: result, unchanged: true })
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 30_000)
})
