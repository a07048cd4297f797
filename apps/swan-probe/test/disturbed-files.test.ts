import { createHash } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { readFile } from '../src/isolation/operations/read-file.ts'
import { disturbedPool } from './disturbed-pool.ts'
import { runProbe } from './run.ts'

describe('a file that somebody else gets at', () => {
  const SIZE = 256 * 1024
  test.each([
    ['appends to', 'PROBE_CORRUPT', (file: string) => appendFileSync(file, 'x')],
    // A reader without a bound would still read when the probe's time is over.
    ['makes a terabyte of', 'PROBE_CORRUPT', (file: string) => truncateSync(file, 2 ** 40)],
    ['cuts', 'PROBE_CORRUPT', (file: string) => truncateSync(file, 1)],
    ['empties', 'PROBE_CORRUPT', (file: string) => truncateSync(file)],
    [
      'replaces',
      'PROBE_CORRUPT',
      (file: string) => {
        writeFileSync(`${file}.new`, Buffer.alloc(SIZE, 'x'))
        renameSync(`${file}.new`, file)
      },
    ],
    ['deletes', 'PROBE_FILE', (file: string) => rmSync(file)],
    [
      'puts a folder in place of',
      'PROBE_FILE',
      (file: string) => {
        rmSync(file)
        mkdirSync(file)
      },
    ],
  ])('who %s it fails the checksum with %s', async (_, code, disturb) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'disturbed-'))
    await using pool = disturbedPool(disturb)
    const result = await runProbe(
      'storage.checksum',
      { fileNumber: 2, fileSize: String(SIZE), filePath: dir },
      { pool },
    )
    expect(result).toMatchObject({ status: 'fail', code })
    rmSync(dir, { recursive: true })
  })

  test.each([
    ['appends to', (file: string) => appendFileSync(file, 'x')],
    ['makes a terabyte of', (file: string) => truncateSync(file, 2 ** 40)],
    ['cuts', (file: string) => truncateSync(file, 1)],
  ])('who %s it fails the throughput, whose rate would be of other bytes', async (_, disturb) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'disturbed-'))
    await using pool = disturbedPool(disturb)
    const values = { fileNumber: 2, fileSize: String(SIZE), filePath: dir }
    const result = await runProbe('storage.throughput', values, { pool })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_CORRUPT', left: [] })
    expect(readdirSync(dir)).toEqual([])
    rmSync(dir, { recursive: true })
  })

  test.each([
    ['grows', (file: string) => appendFileSync(file, 'more'), 'headmore'],
    ['is cut', (file: string) => truncateSync(file, 2), 'he'],
    ['is deleted', (file: string) => rmSync(file), 'head'],
    [
      'is replaced',
      (file: string) => {
        writeFileSync(`${file}.new`, 'other')
        renameSync(`${file}.new`, file)
      },
      'head',
    ],
  ])('and that %s once it is open is read as the one that was opened', (_, disturb, content) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'open-'))
    const file = path.join(dir, 'x')
    writeFileSync(file, 'head')
    const reading = readFile({ path: file, direct: false }, (step) => step === 'read' && disturb(file))
    expect(reading.sha256).toBe(createHash('sha256').update(content).digest('hex'))
    expect(reading.bytes).toBe(content.length)
    rmSync(dir, { recursive: true })
  })
})
