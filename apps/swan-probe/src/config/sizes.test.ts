import { expect, test } from 'vitest'

import { parseSize, showBytes } from './sizes.ts'

test.each([
  ['10', 10],
  [10, 10],
  ['1K', 1024],
  ['1M', 1_048_576],
  ['1MiB', 1_048_576],
  ['1MB', 1_000_000],
  ['1m', 1_048_576],
  ['1.5M', 1_572_864],
  ['1.5K', 1536],
  [' 2G ', 2_147_483_648],
  ['1T', 1_099_511_627_776],
  ['7B', 7],
])('%j is %d bytes', (value, bytes) => {
  expect(parseSize(value)?.bytes).toBe(bytes)
})

test.each([
  '',
  '0',
  '-1',
  -1,
  0,
  '1.5',
  1.5,
  '9999T',
  '1.1T',
  '1 M',
  'M',
  '1X',
  '1e3',
  '0x10',
  NaN,
  Infinity,
  '1iB',
  null,
  true,
  {},
  ['1M'],
])('%j is no size', (value) => {
  expect(parseSize(value)).toBeUndefined()
})

test.each([
  [1, '1 B'],
  [1536, '1.5 KiB'],
  [1_048_576, '1 MiB'],
  [17_179_869_184, '16 GiB'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(showBytes(bytes)).toBe(text)
})
