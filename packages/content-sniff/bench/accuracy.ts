import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { sniff, sniffStream } from '@org/content-sniff'
import { fileTypeFromBuffer } from 'file-type'
import { WASMagic } from 'wasmagic'

import { EVERYDAY, type Sample, score, type Score } from '../test/corpus/sample.ts'

const HEAD = 65_536
const ACTIVE = /html|svg|^application\/xml|\+xml|javascript|php/

/** One line of the table. */
interface Row {
  readonly engine: string
  readonly answers: readonly (string | undefined)[]
  /** Processor time for all files, in milliseconds; not known for programs. */
  readonly cpuMs: number | undefined
}

async function ask(
  engine: string,
  samples: readonly Sample[],
  answer: (bytes: Uint8Array) => Promise<string | undefined>,
): Promise<Row> {
  const answers: (string | undefined)[] = []
  const before = process.cpuUsage()
  for (const { bytes } of samples) answers.push(await answer(bytes))
  const { user, system } = process.cpuUsage(before)
  return { engine, answers, cpuMs: (user + system) / 1000 }
}

/** The program `file`, on files without telling names; empty when it is not installed. */
function askFile(samples: readonly Sample[]): Row[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'content-sniff-bench-'))
  try {
    samples.forEach(({ bytes }, index) => writeFileSync(path.join(folder, `${index}.bin`), bytes))
    const names = samples.map((_, index) => `${index}.bin`).join('\n')
    const output = execFileSync('file', ['--mime-type', '-b', '-f', '-'], {
      cwd: folder,
      input: names,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
    return [{ engine: 'file', answers: output.trim().split('\n'), cpuMs: undefined }]
  } catch {
    return []
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function print({ engine, answers, cpuMs }: Row, samples: readonly Sample[]): void {
  const share = (of: readonly Score[], what: Score): string =>
    `${((100 * of.filter((verdict) => verdict === what).length) / of.length).toFixed(1)} %`
  const all = samples.map(({ mime }, index) => score(answers[index], mime))
  const everyday = all.filter((_, index) => EVERYDAY.has(samples[index]?.mime ?? ''))
  const missed = samples.filter(
    ({ mime }, index) => /html|svg/.test(mime) && !/html|svg|xml/.test(answers[index] ?? ''),
  ).length
  const false_ = samples.filter(({ mime }, index) => !ACTIVE.test(mime) && /html|svg/.test(answers[index] ?? '')).length
  const speed = cpuMs === undefined ? '–' : Math.round((1000 * samples.length) / cpuMs).toLocaleString('en')
  const cells = [
    engine.padEnd(26),
    ...(['exact', 'parent', 'none', 'wrong'] as const).map((what) => share(all, what)),
    share(everyday, 'exact'),
    share(everyday, 'wrong'),
    missed,
    false_,
    speed,
  ]
  console.log(`| ${cells.map((cell) => String(cell).padStart(8)).join(' | ')} |`)
}

/** Prints how often each engine is right on the same files. */
export async function accuracy(samples: readonly Sample[]): Promise<void> {
  const types = new Set(samples.map(({ mime }) => mime)).size
  console.log(
    `\n${samples.length} files of ${types} types, ${samples.filter(({ mime }) => EVERYDAY.has(mime)).length} of them everyday; names withheld`,
  )
  console.log(
    '| engine, bytes seen         |    exact |   parent |     none |    wrong | everyday |    wrong | missed   | false    |  files/s |',
  )
  console.log('|---|---|---|---|---|---|---|---|---|---|')
  const magic = await WASMagic.create()
  const rows = [
    await ask('content-sniff, seekable', samples, async (bytes) => (await sniff(bytes)).mime),
    await ask('content-sniff, 64 KiB', samples, async (bytes) => headOnly(bytes)),
    await ask('file-type, whole', samples, async (bytes) => (await fileTypeFromBuffer(bytes))?.mime),
    await ask('file-type, 64 KiB', samples, async (bytes) => (await fileTypeFromBuffer(bytes.subarray(0, HEAD)))?.mime),
    await ask('wasmagic, whole', samples, async (bytes) => magic.detect(bytes) ?? undefined),
    await ask('wasmagic, 64 KiB', samples, async (bytes) => magic.detect(bytes.subarray(0, HEAD)) ?? undefined),
    ...askFile(samples),
  ]
  for (const row of rows) print(row, samples)
  console.log('missed: of HTML and SVG files, not called HTML, SVG or XML; false: other files called HTML or SVG')
}

async function headOnly(bytes: Uint8Array): Promise<string> {
  if (bytes.length <= HEAD) return (await sniff(bytes)).mime
  const { result, stream } = await sniffStream(chunks(bytes))
  await stream[Symbol.asyncIterator]().return?.()
  return result.mime
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += HEAD) yield bytes.subarray(at, at + HEAD)
}
