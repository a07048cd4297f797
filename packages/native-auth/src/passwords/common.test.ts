import { expect, test } from 'vitest'

import { isCommon } from './common.ts'
import { COMMON_PASSWORDS } from './common-list.ts'

test.each([
  'password',
  'PASSWORD',
  'Password1234',
  'p@ssw0rd!',
  'Passw0rd2024!',
  'passwordpassword',
  'dragonmonkey',
  'aaaaaaaaaaaa',
  '😀😀😀😀😀😀😀😀',
  'abcdefghijkl',
  'lkjihgfedcba',
  'dragon1dragon1',
  '123456789012',
  '!!!Dragon!!!',
])('refuses %j', async (password) => {
  expect(await isCommon(password)).toBe(true)
})

test.each([
  'correct horse battery',
  'staple battery 3',
  'tr0ub4dor & 3',
  'ann-saw-7-otters',
  '482739adam917283',
  'aaaaabbbbbaaaaac',
  '',
  'ключ под ковриком',
])('lets %j pass', async (password) => {
  expect(await isCommon(password)).toBe(false)
})

test('holds more than 3,000 entries at the shortest length that the default preset allows', () => {
  expect(COMMON_PASSWORDS.split(' ').filter((word) => word.length >= 8).length).toBeGreaterThan(3000)
})
