import { expect, test } from 'vitest'

import { base32, fromBase32, matchStep, stepAt, totp } from './totp.ts'

const secret = Buffer.from('12345678901234567890')

// RFC 6238, appendix B, SHA-1, the last six of its eight digits.
test.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
])('computes the code of second %d as the standard does', (seconds, code) => {
  expect(totp(secret, stepAt(seconds * 1000))).toBe(code)
})

test('reads back what it writes in base32', () => {
  expect(base32(secret)).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  for (let size = 0; size < 24; size += 1) {
    const bytes = secret.subarray(0, size)
    expect(fromBase32(base32(bytes))).toEqual(bytes)
  }
})

test('accepts one step to either side, and none that is not later than the last', () => {
  const now = 1_111_111_111_000
  const code = (offset: number) => totp(secret, stepAt(now) + offset)
  expect([-2, -1, 0, 1, 2].map((offset) => matchStep(secret, code(offset), now, 0) !== undefined)).toEqual([
    false,
    true,
    true,
    true,
    false,
  ])
  expect(matchStep(secret, code(0), now, stepAt(now))).toBeUndefined()
})
