import { expect, test } from 'vitest'

import { isAccepted } from './licences.ts'

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0)', true],
  ['MIT AND Zlib', true],
  ['MIT AND GPL-3.0', false],
  ['AGPL-3.0', false],
  ['Unknown', false],
])('%s: %s', (expression, expected) => {
  expect(isAccepted(expression)).toBe(expected)
})
