import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { formatReport, readSurface } from '../src/api-report.ts'

// A compiler starts in each of them.
vi.setConfig({ testTimeout: 60_000 })

let dir: string
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'surface-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const surface = (files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text)
  return readSurface(new Map([['@org/a', path.join(dir, 'index.d.ts')]]))
}

test('lists exports in order of name, without comments, through re-exports', () => {
  const { entries } = surface({
    'index.d.ts': `export { b } from './b.ts'\n/** First. */\nexport declare function a(x: number): string\n`,
    'b.d.ts': `export declare const b: unique symbol\n`,
  })
  expect(entries.get('@org/a')).toEqual([
    { name: 'a', text: 'declare function a(x: number): string' },
    { name: 'b', text: 'declare const b: unique symbol' },
  ])
})

test('follows types that are used but not exported, since changing them changes the promise', () => {
  const { reachable } = surface({
    'index.d.ts': `import type { Inner } from './inner.ts'\nexport declare function a(x: Inner): void\n`,
    'inner.d.ts': `interface Deep { z: string }\nexport interface Inner { y: Deep }\nexport interface Unused { q: 1 }\n`,
  })
  expect(reachable.map((item) => item.name)).toEqual(['Deep', 'Inner'])
})

test('is the same text for the same types, whatever the comments', () => {
  const first = formatReport('@org/a', surface({ 'index.d.ts': 'export interface A { x: 1 }\n' }))
  const second = formatReport(
    '@org/a',
    surface({ 'index.d.ts': '/** New words. */\nexport interface A {\n  x: 1\n}\n' }),
  )
  expect(second).toBe(first)
})

test('an entry without declarations is an error, not an empty report', () => {
  expect(() => readSurface(new Map([['@org/a', path.join(dir, 'absent.d.ts')]]))).toThrow('build first')
})
