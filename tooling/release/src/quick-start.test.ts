import { expect, test } from 'vitest'

import { quickStart } from './quick-start.ts'

const readme = (...lines: readonly string[]) =>
  ['# a', '', '```sh', 'npm install', '```', '```ts', ...lines, '```', ''].join('\n')

test('takes the first block of TypeScript as it stands', () => {
  expect(quickStart(readme(`import { a } from '@org/a'`, 'a()')).source).toBe(`import { a } from '@org/a'\na()\n`)
})

test('names the packages that it needs, without entries, types or Node itself counting twice', () => {
  const { packages } = quickStart(
    readme(
      `import fs from 'node:fs'`,
      `import { a } from '@org/a/http'`,
      `import type { A } from '@org/a'`,
      `import D from 'd'`,
    ),
  )
  expect(packages).toEqual(['@org/a', 'd'])
})

test('turns imports into requires and lets the rest await', () => {
  const { commonjs } = quickStart(
    readme(
      `import D from 'd'`,
      `import * as n from 'node:fs'`,
      `import { a, b as c, type T } from '@org/a'`,
      '',
      'await a(c)',
    ),
  )
  expect(commonjs).toBe(
    [
      `const D = ((m) => m.default ?? m)(require('d'))`,
      `const n = require('node:fs')`,
      `const { a, b: c } = require('@org/a')`,
      'void (async () => {',
      'await a(c)',
      '})()',
      '',
    ].join('\n'),
  )
})

test('keeps what a module exports, where nobody can ask for it', () => {
  expect(quickStart(readme('export const app = 1')).commonjs).toContain('{\nconst app = 1\n}')
})

test('a README without a program is an error', () => {
  expect(() => quickStart('# a\n')).toThrow('found none')
})

test('names what the reader is told to install', () => {
  const lines = ['npm install @org/a b   # or c', '# for more', 'npm install @d/e', 'docker pull f']
  const text = ['# a', '```sh', ...lines, '```', '```ts', 'a()', '```', '```sh', 'npm install g', '```', ''].join('\n')
  expect(quickStart(text).installed).toEqual(['@org/a', 'b', '@d/e'])
})
