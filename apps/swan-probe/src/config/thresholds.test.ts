import { expect, test } from 'vitest'

import { breaks, parseRange } from './thresholds.ts'

// The table of the guidelines: https://nagios-plugins.org/doc/guidelines.html#THRESHOLDFORMAT
test.each([
  ['10', [-1, 11], [0, 5, 10]],
  ['10:', [9.9, -1], [10, 1e9]],
  ['~:10', [10.1], [-1e9, 0, 10]],
  ['10:20', [9, 21], [10, 15, 20]],
  ['@10:20', [10, 15, 20], [9, 21]],
  ['-5:5', [-6, 6], [-5, 0, 5]],
  ['0.5', [0.6, -0.1], [0, 0.5]],
  [10, [11], [10]],
])('%j breaks on %j and not on %j', (text, bad, good) => {
  const range = parseRange(text)
  if (range === undefined) throw new Error('Expected a range')
  expect(bad.map((value) => breaks(range, value))).toEqual(bad.map(() => true))
  expect(good.map((value) => breaks(range, value))).toEqual(good.map(() => false))
})

test.each(['', '@', ':', '20:10', 'x', '1:2:3', '5:~', '1,5', null, true, NaN])('%j is no range', (text) => {
  expect(parseRange(text)).toBeUndefined()
})
