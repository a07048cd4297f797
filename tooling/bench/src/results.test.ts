import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test, vi } from 'vitest'

import { chart } from './chart.ts'
import { peer } from './peer.ts'
import { record } from './record.ts'
import { rowsOf, stale } from './results.ts'
import { bar, isMet, type Row, times } from './row.ts'
import { page } from './table.ts'

const bare = { name: 'bare', version: '1.2.3' }
const row = (title: string, ratio: number, more: Partial<Row> = {}): Row => ({ title, ratio, peer: bare, ...more })

test('what a bench records is read back, the last of a title counting', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'record-'))
  vi.stubEnv('BENCH_ROWS', path.join(folder, 'rows'))
  const last = row('a', 0.9, { range: [0.8, 1], goal: { atLeast: 0.9 } })
  for (const each of [row('a', 2), row('b', 1), last]) record(each)
  expect(rowsOf(readFileSync(path.join(folder, 'rows'), 'utf8'))).toEqual([last, row('b', 1)])
  rmSync(folder, { recursive: true })
  vi.unstubAllEnvs()
})

test('a bench run by itself keeps nothing', () => {
  expect(() => record(row('a', 1))).not.toThrow()
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('%s is no ratio', (ratio) => {
  expect(() => record(row('a', ratio))).toThrow(new TypeError(`Expected a ratio for "a", got ${ratio}`))
})

test.each([
  [1.1, { atMost: 1.1 }, true],
  [1.11, { atMost: 1.1 }, false],
  [0.9, { atLeast: 0.9 }, true],
  [0.89, { atLeast: 0.9 }, false],
  [99, undefined, true],
])('%d against %j: met %s', (ratio, goal, met) => {
  expect(isMet({ ratio, ...(goal !== undefined && { goal }) })).toBe(met)
})

test('results are stale when a measurement came or went', () => {
  expect(stale([row('a', 1), row('b', 1)], [row('b', 2), row('c', 1)])).toEqual([
    '"a" is in the results but was not measured',
    '"c" was measured but is not in the results',
  ])
  expect(stale([row('a', 1)], [row('a', 5)])).toEqual([])
})

test('figures and bars as people read them', () => {
  expect([times(0.756), times(9.999), times(12.3), bar({ atMost: 1.1 }), bar({ atLeast: 5 }), bar(undefined)]).toEqual([
    '0.76 ×',
    '10.00 ×',
    '12 ×',
    '≤ 1.1',
    '≥ 5',
    '',
  ])
})

test('the page names peer, command and misses', () => {
  const rows = [row('fast', 0.5, { range: [0.4, 0.6], goal: { atMost: 1 } }), row('slow', 2, { goal: { atMost: 1 } })]
  const text = page([{ name: '@org/a', command: 'pnpm bench @org/a', day: '2026-11-21', machine: 'm', rows }])
  expect(text).toContain('![Ratios of @org/a to its peers](results/a.svg)')
  expect(text).toContain('| fast | 0.50 × (0.40–0.60) | ≤ 1 | met | bare 1.2.3 |')
  expect(text).toContain('| slow | 2.00 × | ≤ 1 | **missed** | bare 1.2.3 |')
  expect(text).toContain('`pnpm bench @org/a`, 2026-11-21, m')
})

test('the chart draws half and double equally far from equality, and escapes titles', () => {
  const svg = chart({ name: 'a', rows: [row('half <b>', 0.5), row('double', 2, { goal: { atMost: 1.5 } })] })
  const bars = [...svg.matchAll(/<rect class="(\w+)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)]
  expect(bars.map(([, verdict]) => verdict)).toEqual(['met', 'missed'])
  const [half, double] = bars.map(([, , , width]) => Number(width)) as [number, number]
  expect(Math.abs(half - double)).toBeLessThanOrEqual(0.2)
  expect(svg).toContain('half &#60;b&#62;')
  expect(svg.match(/class="goal"/g)).toHaveLength(1)
})

test('a peer is named with the version in use, and a missing one is an error', () => {
  expect(peer('vitest', import.meta.url)).toEqual({ name: 'vitest', version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
  expect(() => peer('not-there', import.meta.url)).toThrow('not-there')
})
