import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { detectTable } from './delimited.ts'
import { scanJson } from './json.ts'
import { detectMarkup } from './markup.ts'
import { decodeText } from './text-test.ts'

describe('JSON', () => {
  test('whatever JSON.stringify writes is whole, and cut anywhere it is cut', () => {
    const container = fc.oneof(
      fc.array(fc.jsonValue(), { minLength: 1 }),
      fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
    )
    fc.assert(
      fc.property(container, fc.nat(), fc.constantFrom(undefined, 1, '\t'), (value, at, indent) => {
        const text = JSON.stringify(value, null, indent)
        const cut = text.slice(0, 1 + (at % (text.length - 1)))
        return (
          scanJson(text, 0).verdict === 'complete' &&
          scanJson(text, 0).end === text.length &&
          scanJson(cut, 0).verdict === 'cut'
        )
      }),
    )
  })

  test.each([
    '{a:1}',
    "{'a':1}",
    '{"a":1,}',
    '[1,]',
    '[01]',
    '{"a" 1}',
    '[1 2]',
    '["a\nb"]',
    '["\\x"]',
    '[nul]',
    '[+1]',
    '[1.]',
    '{"a":}',
    '[,]',
  ])('%j is none', (text) => {
    expect(scanJson(text, 0).verdict).toBe('invalid')
  })
})

describe('tables', () => {
  const cell = fc.stringMatching(/^[a-z0-9"\n,; ]{1,12}$/).filter((text) => text.trim() === text)
  const table = fc
    .tuple(fc.integer({ min: 3, max: 6 }), fc.integer({ min: 4, max: 9 }))
    .chain(([columns, rows]) =>
      fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
    )

  test('any table in RFC 4180 form is one', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join('\r\n')
        return detectTable(text, true)?.delimiter === ','
      }),
    )
  })

  test.each([
    ['prose', 'He came, she saw,\nthey left, alas,\nand that, was all,\n'],
    ['code', 'const a = [1, 2];\nconst b = [3, 4];\nconst c = [5, 6];\n'],
    [
      'declarations',
      'export declare const a: A, b: B\nexport declare const c: C, d: D\nexport declare const e: E, f: F\n',
    ],
    ['one row', 'a,b,c\n'],
    ['uneven rows', 'a,b,c\nd,e\nf,g,h\n'],
    ['indented text', '\tone\n\ttwo\n\tthree\n'],
    ['an open quote', 'a,b,c\n"d,e,f\n'],
  ])('%s is none', (_, text) => {
    expect(detectTable(text, true)).toBeUndefined()
  })
})

describe('markup', () => {
  // The tags of https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type, each with both
  // bytes that may end a tag, behind each white space, in both cases.
  const TAGS = [
    '!DOCTYPE HTML',
    'HTML',
    'HEAD',
    'SCRIPT',
    'IFRAME',
    'H1',
    'DIV',
    'FONT',
    'TABLE',
    'A',
    'STYLE',
    'TITLE',
    'B',
    'BODY',
    'BR',
    'P',
  ]
  const vectors = TAGS.flatMap((tag) =>
    [' ', '>'].flatMap((end) =>
      ['', '\t', '\n', '\f', '\r', ' '].flatMap((space) =>
        [tag, tag.toLowerCase()].map((name) => `${space}<${name}${end}`),
      ),
    ),
  )

  test('every tag of the WHATWG table is HTML', () => {
    expect(vectors.length).toBe(384)
    expect(vectors.filter((text) => detectMarkup(text)?.mime !== 'text/html')).toEqual([])
  })

  // Deliberate differences from the table, each for a reason.
  test.each([
    ['a comment alone proves no HTML: program texts and Markdown start so too', '<!-- a -->', undefined],
    ['a comment in front of words', '<!-- a -->\nwords', undefined],
    ['a tag that ends otherwise', '<HTMLX>', undefined],
    ['an element in an XML document is what the document says', '<?xml version="1.0"?><a/>', 'application/xml'],
    ['a root that HTML does not know, but closed', '<note>x</note>', 'application/xml'],
    ['XHTML has its own type', '<html xmlns="http://www.w3.org/1999/xhtml">', 'application/xhtml+xml'],
    ['SVG has its own type', '<svg>', 'image/svg+xml'],
    ['an address', '<a@example.org> wrote:', undefined],
  ])('%s', (_, text, mime) => {
    expect(detectMarkup(text)?.mime).toBe(mime)
  })
})

describe('text', () => {
  test('any text in UTF-8 is text, and cut anywhere it still is', () => {
    const words = fc.string({ unit: 'grapheme', minLength: 4 }).filter((text) => !/\p{Cc}/u.test(text))
    fc.assert(
      fc.property(words, fc.nat(), (text, at) => {
        const bytes = Buffer.from(text.toWellFormed())
        const cut = bytes.subarray(0, 1 + (at % bytes.length))
        return (
          decodeText(bytes, true)?.text === text.toWellFormed().replace(/^\ufeff/, '') &&
          decodeText(cut, false) !== undefined
        )
      }),
    )
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0b, 0x0e, 0x1a, 0x1c, 0x1f])('the byte %i makes it binary', (byte) => {
    expect(
      decodeText(Buffer.concat([Buffer.from('some words'), Buffer.from([byte]), Buffer.from('more')]), true),
    ).toBeUndefined()
  })
})
