import { validateHeaderValue } from 'node:http'
import path from 'node:path'

import { parse } from 'content-disposition'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { checkKey } from './keys.ts'
import { cleanFilename, contentDisposition } from './names.ts'

/** Pieces that file names are attacked with; every pair and many triples of them make the corpus. */
const PIECES = [
  'report',
  '.pdf',
  '..',
  '/',
  '\\',
  '\0',
  '%00',
  '\r\n',
  '"',
  "'",
  ';',
  ':',
  '*',
  '?',
  '<script>',
  '|',
  'CON',
  'nul',
  '\u202e',
  '\u200b',
  '\ufeff',
  '\ud800',
  '\udc00',
  'é',
  'e\u0301',
  '日本',
  '🎈',
  ' ',
  '.',
  'C:',
  '~',
  '$(x)',
  '`x`',
  '\x7f',
  '\x85',
  '\u2028',
  'x'.repeat(260),
]
const HOSTILE = PIECES.flatMap((first) => PIECES.map((second) => first + second)).filter((_, index) => index % 2 === 0)

function isHarmless(name: string): boolean {
  const root = path.resolve('/srv/files')
  return (
    name !== '' &&
    Buffer.byteLength(name) <= 255 &&
    name.isWellFormed() &&
    path.dirname(path.resolve(root, name)) === root &&
    path.win32.basename(name) === name &&
    !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(name) &&
    !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name) &&
    !/^[.\s]|[.\s]$/.test(name)
  )
}

function roundTrips(name: string): boolean {
  const header = contentDisposition('attachment', name)
  validateHeaderValue('content-disposition', header)
  return !/[\r\n]/.test(header) && parse(header).parameters['filename'] === cleanFilename(name)
}

describe('500 hostile names', () => {
  test('there are as many', () => {
    expect(new Set(HOSTILE).size).toBeGreaterThanOrEqual(500)
  })

  test('become harmless, stay so, and read back from their header', () => {
    const bad = HOSTILE.filter((name) => {
      const cleaned = cleanFilename(name)
      return (
        !isHarmless(cleaned) || cleanFilename(cleaned) !== cleaned || !roundTrips(name) || checkKey(cleaned) !== cleaned
      )
    })
    expect(bad).toEqual([])
  })
})

test('any text becomes a harmless name', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({ unit: 'grapheme', maxLength: 400 }),
    fc.array(fc.constantFrom(...PIECES)).map((pieces) => pieces.join('')),
  )
  fc.assert(
    fc.property(
      text,
      (name) =>
        isHarmless(cleanFilename(name)) &&
        cleanFilename(cleanFilename(name)) === cleanFilename(name) &&
        roundTrips(name),
    ),
    { numRuns: 2000 },
  )
})

test.each([
  ['holiday photo.jpg', 'holiday photo.jpg'],
  ['/home/a/b.txt', 'b.txt'],
  ['C:\\Users\\a\\b.txt', 'b.txt'],
  ['..\\..\\report\u202efdp.exe ', 'reportfdp.exe'],
  ['a.php%00.jpg', 'a.php'],
  ['.htaccess', 'htaccess'],
  ['con.txt', '_con.txt'],
  ['ab:c|d?.txt', 'ab_c_d_.txt'],
  ['cafe\u0301.txt', 'café.txt'],
  ['👩\u200d🚀.png', '👩\u200d🚀.png'],
  ['...', 'file'],
  ['', 'file'],
])('%j becomes %j', (name, expected) => {
  expect(cleanFilename(name)).toBe(expected)
})
