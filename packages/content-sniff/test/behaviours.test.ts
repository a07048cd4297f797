import { appendFile, mkdtemp, open, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { validateHeaderValue } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'

import {
  cleanFilename,
  createUploader,
  DiskStore,
  encodeMetadata,
  decodeMetadata,
  MemoryStore,
  type PutOptions,
  servingHeaders,
  sniff,
  SniffError,
  sniffStream,
  type SniffFlag,
  type Store,
  type UploadPolicy,
  type UploadSource,
} from '@org/content-sniff'
import { parse } from 'content-disposition'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { gif, jpeg, pdf, png } from './corpus/binary-samples.ts'
import { ole } from './corpus/ole-builder.ts'
import { zip } from './corpus/zip-builder.ts'

const HTML = Buffer.from('<!DOCTYPE html><html><script>alert(1)</script></html>')
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1"/></svg>'
const ARCHIVE = zip([{ name: 'a.txt', data: 'hello' }])

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'content-sniff-behaviours-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A store that tells whether anything was ever asked of it. */
class WatchedStore extends MemoryStore {
  writes = 0
  chunks = 0

  override write(...[key, body, options]: Parameters<Store['write']>): ReturnType<Store['write']> {
    this.writes += 1
    const count = (): void => {
      this.chunks += 1
    }
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        count()
        yield chunk
      }
    }
    return super.write(key, counted(), options)
  }
}

async function upload(source: UploadSource, put: PutOptions = {}, policy: UploadPolicy = {}) {
  const store = new WatchedStore()
  return createUploader({ store, policy }).put(source, put)
}

/** The code that an upload is refused with; the store must be as it was. */
async function refusal(source: UploadSource, put: PutOptions = {}, policy: UploadPolicy = {}) {
  const store = new WatchedStore()
  const error = await createUploader({ store, policy })
    .put(source, put)
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
  expect(error).toBeInstanceOf(SniffError)
  expect(await keysOf(store)).toEqual([])
  return { code: (error as SniffError).code, message: (error as SniffError).message, writes: store.writes }
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list()) keys.push(key)
  return keys
}

/**
 * What a call costs by itself: processor time and memory outside the heap, the least of several calls, since the
 * collector and the compiler run in the same process whenever they like.
 */
async function ownCost(call: () => Promise<unknown>): Promise<{ readonly cpuMs: number; readonly bytes: number }> {
  let cpuMs = Infinity
  let bytes = Infinity
  for (let round = 0; round < 5; round += 1) {
    const memory = process.memoryUsage().arrayBuffers
    const cpu = process.cpuUsage()
    await call()
    cpuMs = Math.min(cpuMs, process.cpuUsage(cpu).user / 1000)
    bytes = Math.min(bytes, process.memoryUsage().arrayBuffers - memory)
  }
  return { cpuMs, bytes }
}

const flagsOf = async (bytes: Uint8Array): Promise<readonly SniffFlag[]> => (await sniff(bytes)).flags

const streamOf = (bytes: Uint8Array, size = 16_384): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    })(),
  )

describe('type and content', () => {
  test.each([
    ['bytes', HTML],
    ['a stream', streamOf(HTML, 1)],
  ])('1: HTML in %s that claims to be a picture never reaches the store', async (_, source) => {
    expect(await refusal(source, { declaredType: 'image/png' })).toMatchObject({
      code: 'SNIFF_TYPE_MISMATCH',
      writes: 0,
    })
  })

  test.each(['text/csv', 'application/vnd.ms-excel', 'application/octet-stream', ''])(
    '1: a table that claims to be %j is one',
    async (declaredType) => {
      const stored = await upload(Buffer.from('a,b\n1,2\n3,4\n'), { declaredType, filename: 'a.csv' })
      expect(stored).toMatchObject({ type: { mime: 'text/csv' }, violations: [] })
    },
  )

  test('2: in `correct` mode it is stored as what it is, as a download', async () => {
    const { headers, disposition, violations } = await upload(
      HTML,
      { declaredType: 'image/png', filename: 'a.png' },
      { mode: 'correct' },
    )
    expect(headers['content-type']).toBe('text/html; charset=us-ascii')
    expect(headers['content-disposition']).toMatch(/^attachment/)
    expect(disposition).toBe('attachment')
    expect(violations.map(({ code }) => code)).toEqual(['SNIFF_TYPE_MISMATCH'])
  })

  test('3: unknown bytes are a download, and refused by `enforce` unless listed', async () => {
    const unknown = Buffer.from('00ff13374142ee0199', 'hex')
    expect(await refusal(unknown)).toMatchObject({ code: 'SNIFF_TYPE_UNKNOWN', writes: 0 })
    for (const policy of [{ mode: 'correct' }, { allow: ['application/octet-stream'] }] satisfies UploadPolicy[]) {
      expect(await upload(unknown, {}, policy)).toMatchObject({
        type: { mime: 'application/octet-stream' },
        disposition: 'attachment',
      })
    }
  })

  test.each([
    ['text/html', HTML],
    ['application/xhtml+xml', Buffer.from('<html xmlns="http://www.w3.org/1999/xhtml"/>')],
    ['image/svg+xml', Buffer.from(SVG)],
    ['application/xml', Buffer.from('<?xml version="1.0"?><a/>')],
    [
      'application/xslt+xml',
      Buffer.from('<?xml version="1.0"?><x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform"/>'),
    ],
    ['text/javascript', Buffer.from('#!/usr/bin/env node\nalert(1)\n')],
    [
      'multipart/related',
      Buffer.from(
        'From: <Saved by Blink>\nSnapshot-Content-Location: http://a/\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n',
      ),
    ],
    ['application/x-shockwave-flash', Buffer.concat([Buffer.from('CWS\x0a', 'latin1'), Buffer.alloc(99, 1)])],
  ])('4: %s is never shown in place by default', async (mime, bytes) => {
    const stored = await upload(bytes, {}, { allow: [mime] })
    expect(stored.type.mime).toBe(mime)
    expect(stored.disposition).toBe('attachment')
    expect(stored.type.flags).toContain('ACTIVE')
  })

  test('4: a PDF that is off the list is refused, one off the inline list is a download', async () => {
    expect((await refusal(pdf(), {}, { allow: ['image'] })).code).toBe('SNIFF_TYPE_NOT_ALLOWED')
    expect((await upload(pdf(), {}, { inline: ['image/png'] })).disposition).toBe('attachment')
  })

  test('5: an SVG that is allowed inline comes with a sandbox', async () => {
    const stored = await upload(Buffer.from(SVG), {}, { inline: ['image/svg+xml'] })
    expect(stored.disposition).toBe('inline')
    expect(stored.headers['content-security-policy']).toMatch(/default-src 'none'.*sandbox$/)
    expect(stored.type.flags).toEqual(['ACTIVE'])
  })

  test.each([
    ['script', '<svg><script>1</script></svg>'],
    ['prefixed script', '<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script/></s:svg>'],
    ['handler', '<svg><g onclick="a()"/></svg>'],
    ['handler behind a slash', '<svg/onload=alert(1)>'],
    ['foreignObject', '<svg><foreignObject/></svg>'],
    ['external link', '<svg><image href="https://example.org/a.png"/></svg>'],
    ['external xlink', '<svg><use xlink:href="//example.org/a.svg#b"/></svg>'],
    ['hidden link', '<svg><a href="&#106;avascript:alert(1)"/></svg>'],
    ['animated link', '<svg><a><set attributeName="href" to="x"/></a></svg>'],
    ['entity', '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>'],
    ['style sheet', '<?xml-stylesheet href="a.css"?><svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['import', '<svg><style>@import "a.css"</style></svg>'],
  ])('5: an SVG with a %s is flagged', async (_, text) => {
    expect(await flagsOf(Buffer.from(text))).toContain('ACTIVE_SVG')
  })

  test.each([
    ['inner link', '<svg><use href="#a"/></svg>'],
    ['embedded picture', `<svg><image href="data:image/png;base64,${png().toString('base64')}"/></svg>`],
    ['gradient', '<svg><rect fill="url(#g)" style="fill:url(\'#g\')"/></svg>'],
  ])('5: an SVG with an %s is not', async (_, text) => {
    expect(await flagsOf(Buffer.from(text))).not.toContain('ACTIVE_SVG')
  })

  const disguises: readonly (readonly [string, (root: string) => Buffer])[] = [
    ['60,000 spaces', (root) => Buffer.from(`${' '.repeat(60_000)}${root}`)],
    ['60,000 line ends', (root) => Buffer.from(`${'\r\n'.repeat(30_000)}${root}`)],
    ['a comment of 60,000', (root) => Buffer.from(`<!--${'-'.repeat(60_000)}-->${root}`)],
    ['many comments', (root) => Buffer.from(`${'<!-- > --> '.repeat(4000)}${root}`)],
    ['a comment that ends oddly', (root) => Buffer.from(`<!-- a --!>${root}`)],
    ['an empty comment', (root) => Buffer.from(`<!-->${root}`)],
    ['a byte order mark', (root) => Buffer.from(`\ufeff ${root}`)],
    ['UTF-16', (root) => Buffer.from(`\ufeff${root}`, 'utf16le')],
    ['big-endian UTF-16', (root) => Buffer.from(`\ufeff${root}`, 'utf16le').swap16()],
    ['UTF-16 without a mark', (root) => Buffer.from(`  ${root}   and some more`, 'utf16le')],
    ['upper case', (root) => Buffer.from(root.toUpperCase())],
    ['a form feed', (root) => Buffer.from(`\f${root}`)],
    ['an instruction', (root) => Buffer.from(`<?x y?>${root}`)],
    ['binary bytes behind', (root) => Buffer.concat([Buffer.from(root), Buffer.from([0, 1, 2, 255])])],
    ['a NUL in front', (root) => Buffer.concat([Buffer.from([0, 0]), Buffer.from(root)])],
  ]
  test.each(disguises)('6: HTML and SVG are found behind %s', async (_, disguise) => {
    expect((await sniff(disguise('<html><body>x</body></html>'))).mime).toBe('text/html')
    expect((await sniff(disguise('<svg onload="x()"></svg>'))).mime).toBe('image/svg+xml')
  })

  test.each([
    ['html', '<html>'],
    ['svg', '<svg>'],
  ])('6: behind more than the head, %s is a plain text', async (_, root) => {
    const { mime } = await sniff(Buffer.from(`${' '.repeat(70_000)}${root}`))
    expect(mime).toBe('text/plain')
  })

  const polyglots: readonly (readonly [string, Buffer])[] = [
    ['GIF and zip', Buffer.concat([gif(), ARCHIVE])],
    ['JPEG and zip', Buffer.concat([jpeg(), ARCHIVE])],
    ['PDF and zip', Buffer.concat([pdf(), ARCHIVE])],
    ['PNG and zip with a comment', Buffer.concat([png(), zip([{ name: 'a' }], { comment: 'x'.repeat(60_000) })])],
    ['PNG and HTML', Buffer.concat([png(), HTML])],
    ['PNG and a bare tag', Buffer.concat([png(), Buffer.from('<b onmouseover=alert(1)>x</b>')])],
    ['GIF with a script in a comment', gif('<script>alert(1)</script>')],
    ['PNG with a script in a chunk', png(2, [['tEXt', Buffer.from('a\0<script>alert(1)</script>')]])],
    ['HTML in front of a PDF', Buffer.concat([HTML, Buffer.from('\n'), pdf()])],
    ['JPEG and PDF', Buffer.concat([jpeg(), pdf()])],
    ['text in front of a PDF', Buffer.concat([Buffer.from('#define a\n'), pdf()])],
    ['script and zip', Buffer.concat([Buffer.from('#!/usr/bin/env python3\n'), ARCHIVE])],
  ]
  test.each(polyglots)('7: %s is flagged and refused', async (_, bytes) => {
    expect(await flagsOf(bytes)).toContain('POLYGLOT')
    expect(
      (
        await refusal(
          bytes,
          {},
          { allow: ['image', 'document', 'text', 'markup', 'script', 'application/octet-stream'] },
        )
      ).code,
    ).toBe('SNIFF_REJECTED')
  })

  test.each([
    ['an archive', ARCHIVE],
    ['markup', HTML],
  ])('7: %s at the end of a long stream is found before the store hears of the end', async (_, tail) => {
    const bytes = Buffer.concat([png(2, [['noIs', Buffer.alloc(300_000, 7)]]), tail])
    const { result, stream, complete } = await sniffStream(streamOf(bytes))
    expect(result.flags).toEqual([])
    for await (const chunk of stream) void chunk
    expect((await complete).flags).toContain('POLYGLOT')
    const { code, writes } = await refusal(streamOf(bytes), { declaredType: 'image/png' })
    expect({ code, writes }).toEqual({ code: 'SNIFF_REJECTED', writes: 1 })
  })

  test.each([
    ['a bare GIF signature', Buffer.from('GIF89a'), 'TOO_SHORT'],
    ['a bare PNG signature', png().subarray(0, 8), 'TOO_SHORT'],
    ['a cut PNG', png(600).subarray(0, 400), 'TRUNCATED'],
    [
      'a JPEG without a frame',
      Buffer.concat([
        Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
        Buffer.alloc(80),
        Buffer.from('ffd9', 'hex'),
      ]),
      'TRUNCATED',
    ],
    ['a cut PDF', pdf().subarray(0, 200), 'TRUNCATED'],
    ['a cut zip', ARCHIVE.subarray(0, -30), 'TRUNCATED'],
  ])('8: %s is flagged and refused', async (_, bytes, flag) => {
    expect(await flagsOf(bytes)).toContain(flag)
    expect((await refusal(bytes)).code).toBe('SNIFF_REJECTED')
  })

  test('9: macros inside a plain document make it a document with macros', async () => {
    const types =
      '<Types><Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    const docx = zip([
      { name: '[Content_Types].xml', data: types },
      { name: 'word/document.xml' },
      { name: 'word/vbaProject.bin', data: 'x' },
    ])
    expect(await sniff(docx)).toMatchObject({
      mime: 'application/vnd.ms-word.document.macroenabled.12',
      flags: ['MACROS'],
    })
    expect((await refusal(docx, { filename: 'a.docx' })).code).toBe('SNIFF_REJECTED')
    expect(await flagsOf(ole([{ name: 'WordDocument' }, { name: 'Macros', storage: [{ name: 'VBA' }] }]))).toContain(
      'MACROS',
    )
  })

  test('9: macros of an old document are found in a stream too, wherever its directory lies', async () => {
    const word = ole([{ name: 'WordDocument' }, { name: 'Macros', storage: [{ name: 'VBA' }] }], { padSectors: 400 })
    const bytes = Buffer.concat([word, Buffer.alloc(200_000)])
    for (const size of [1000, 16_384, 1_000_000]) {
      const { stream, complete } = await sniffStream(streamOf(bytes, size))
      for await (const chunk of stream) void chunk
      expect(await complete).toMatchObject({ mime: 'application/msword', flags: ['MACROS'] })
    }
    expect((await refusal(streamOf(bytes), { filename: 'a.doc' })).code).toBe('SNIFF_REJECTED')
  })

  test('10: passwords are flagged', async () => {
    expect(await flagsOf(zip([{ name: 'a', data: 'x', encrypted: true }]))).toContain('ENCRYPTED')
    expect(await flagsOf(ole([{ name: 'EncryptionInfo' }, { name: 'EncryptedPackage' }]))).toContain('ENCRYPTED')
    const word = Buffer.alloc(64)
    word.writeUInt16LE(0xa5ec, 0)
    word.writeUInt16LE(0x0100, 10)
    expect(await flagsOf(ole([{ name: 'WordDocument', data: word }]))).toContain('ENCRYPTED')
    expect(
      await flagsOf(ole([{ name: 'Workbook', data: Buffer.from('09080000 2f000600'.replace(' ', ''), 'hex') }])),
    ).toContain('ENCRYPTED')
  })

  const bombs: readonly (readonly [string, () => Buffer])[] = [
    [
      '10,001 members',
      () => zip(Array.from({ length: 10_001 }, (_, index) => ({ name: String(index), stored: true }))),
    ],
    ['a false count', () => zip([{ name: 'a' }], { claimed: 65_000 })],
    ['a ratio of 1,000', () => zip([{ name: 'a', data: Buffer.alloc(4_000_000) }])],
    ['4 GB claimed', () => zip([{ name: 'a', data: 'x', claim: { unpacked: 0xffffffff } }])],
    ['an archive that holds itself', () => zip([{ name: 'a.zip', data: 'x', claim: { unpacked: 5_000 } }])],
    [
      'members that share their bytes',
      () =>
        zip(
          Array.from({ length: 60 }, (_, index) => ({
            name: String(index),
            data: 'x',
            claim: { packed: 900_000, unpacked: 900_000 },
          })),
        ),
    ],
  ]
  test.each(bombs)('11: a zip with %s is a bomb, found with few bytes and little time', async (_, make) => {
    const bytes = make()
    const own = await ownCost(() => sniff(bytes))
    expect(await flagsOf(bytes)).toContain('BOMB')
    expect(own.bytes).toBeLessThan(8 * 1024 * 1024)
    expect(own.cpuMs).toBeLessThan(50)
  })

  test('12: content types unpack to 256 KiB at most', async () => {
    const bomb = zip([
      { name: '[Content_Types].xml', data: Buffer.alloc(100_000_000, 0x20) },
      { name: 'word/document.xml' },
    ])
    expect((await ownCost(() => sniff(bomb))).bytes).toBeLessThan(8 * 1024 * 1024)
    const result = await sniff(bomb)
    expect(result.mime).toBe('application/vnd.openxmlformats-officedocument.wordprocessingml.document')
    expect(result.flags).toEqual(['BOMB'])
    expect((await sniff(gzipSync(Buffer.alloc(50_000_000)))).mime).toBe('application/gzip')
  })

  test.each([
    ['PE', Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(500)])],
    ['ELF', Buffer.concat([Buffer.from('7f454c460201010000000000000000000200', 'hex'), Buffer.alloc(99)])],
    ['Mach-O', Buffer.concat([Buffer.from('cffaedfe07000001', 'hex'), Buffer.alloc(99)])],
    ['a class', Buffer.concat([Buffer.from('cafebabe00000034', 'hex'), Buffer.alloc(99)])],
    ['wasm', Buffer.concat([Buffer.from('0061736d01000000', 'hex'), Buffer.alloc(99)])],
    ['a shell script', Buffer.from('#!/bin/sh\nrm -rf /\n')],
    ['PHP', Buffer.from('<?php system($_GET[0]);')],
  ])('13: %s is refused whatever its name', async (_, bytes) => {
    expect((await refusal(bytes, { filename: 'holiday.jpg' })).code).toBe('SNIFF_TYPE_NOT_ALLOWED')
    const { mime } = await sniff(bytes)
    expect((await upload(bytes, {}, { allow: [mime] })).disposition).toBe('attachment')
  })

  test.each([
    'a.jpg.php',
    'a.php%00.jpg',
    'a.php\0.jpg',
    'a.php.',
    'a.php ',
    'a.php. . ',
    'a\u202egpj.php',
    'A.PHP',
    'x/../a.php',
    'a.php/'.slice(0, -1),
  ])('14: the name %j counts as what it ends in after cleaning', async (filename) => {
    expect((await refusal(png(), { filename })).code).toBe('SNIFF_TYPE_NOT_ALLOWED')
  })

  test('15: cells that a spreadsheet would run are flagged and let through', async () => {
    const rows = (cell: string): Buffer => Buffer.from(`name,value\na,${cell}\nb,2\nc,3\n`)
    for (const cell of ['=1+1', '@SUM(A1)', '+cmd|calc', '-1+1', '"=HYPERLINK(1)"']) {
      expect({ cell, ...(await sniff(rows(cell))) }).toMatchObject({ cell, mime: 'text/csv', flags: ['FORMULA'] })
      expect((await upload(rows(cell), { filename: 'a.csv' })).type.flags).toEqual(['FORMULA'])
    }
    for (const cell of ['-1.5', '+3', '-', 'a=b', 'x@y']) {
      expect({ cell, flags: await flagsOf(rows(cell)) }).toEqual({ cell, flags: [] })
    }
  })
})

describe('names and headers', () => {
  const names = [
    '../../x',
    '..\\x',
    '/etc/passwd',
    'C:\\a',
    '\\\\host\\share\\a',
    'a\0b',
    'CON',
    'nul.txt',
    'COM¹',
    '.',
    '..',
    '',
    'ä'.repeat(300),
    ' . ',
    'a/',
    '~',
    '.htaccess',
    'a:b',
  ]
  test.each(names)('16: the name %j cannot choose where it goes', async (filename) => {
    const root = path.join(folder, 'names')
    const store = new DiskStore({ root })
    const { key, filename: cleaned = '' } = await createUploader({ store }).put(png(), { filename })
    expect(key).toMatch(/^[0-9a-f-]{36}\.png$/)
    expect(cleaned).not.toMatch(/[/\\:\0]|^\.|^$|^(con|nul)(\.|$)/i)
    expect(Buffer.byteLength(cleaned)).toBeLessThanOrEqual(255)
    // A cleaned name may serve as a key of its own, and stays below the root.
    const chosen = await createUploader({ store }).put(png(), { key: `${key}.d/${cleaned}` })
    expect((await store.head(chosen.key))?.size).toBe(png().length)
    expect((await readdir(folder)).includes('x')).toBe(false)
  })

  test('16: a local write follows no symbolic link and never replaces a file unasked', async () => {
    const root = path.join(folder, 'links')
    const outside = path.join(folder, 'outside')
    const store = new DiskStore({ root })
    const uploads = createUploader({ store })
    await uploads.put(png(), { key: 'first' })
    await writeFile(outside, 'secret')
    await symlink(outside, path.join(root, 'link'))
    await symlink(folder, path.join(root, 'folder'))
    for (const key of ['folder/new', 'folder/outside']) {
      await expect(uploads.put(png(), { key })).rejects.toMatchObject({ code: 'SNIFF_BAD_KEY' })
    }
    expect(await store.head('link')).toBeUndefined()
    await expect(uploads.put(png(), { key: 'link' })).rejects.toMatchObject({ code: 'SNIFF_EXISTS' })
    await expect(uploads.put(png(), { key: 'first' })).rejects.toMatchObject({ code: 'SNIFF_EXISTS' })
    expect((await readdir(folder)).sort()).not.toContain('new')
  })

  test.each([
    'a\r\nSet-Cookie: x',
    'a"b',
    'a\\b',
    'a;b',
    'naïve ☃.txt',
    '\ud800x',
    'a\u202eb',
    "it's",
    '%41.txt',
    "UTF-8''x",
    '日本語.png',
  ])('17: the name %j makes one valid header that reads back', (filename) => {
    const header = servingHeaders({ mime: 'image/png', filename, disposition: 'attachment' })['content-disposition']
    expect(header).not.toMatch(/[\r\n]/)
    validateHeaderValue('content-disposition', header)
    expect(parse(header).parameters['filename']).toBe(cleanFilename(filename))
  })

  test('18: an endless name is cut between characters and keeps its extension', () => {
    const cleaned = cleanFilename(`${'🎈'.repeat(900)}.jpeg`)
    expect(cleaned).toMatch(/^🎈+\.jpeg$/u)
    const header = servingHeaders({ mime: 'image/jpeg', filename: cleaned, disposition: 'inline' })[
      'content-disposition'
    ]
    expect(header.length).toBeLessThan(1400)
    expect(/filename\*=UTF-8''(\S+)$/.exec(header)?.[1]?.length).toBeLessThanOrEqual(1024)
    expect(parse(header).parameters['filename']).toBe(cleaned)
  })

  test('19: metadata that fits into S3 beside the mark of a store passes, two keys of one name do not', async () => {
    const { key } = await upload(png(), { metadata: { a: 'x'.repeat(1999) } })
    expect(key).toMatch(/png$/)
    for (const metadata of [{ a: 'x'.repeat(2000) }, { a: '1', A: '2' }, { 'sniff-upload': 'x' }]) {
      expect(await refusal(png(), { metadata })).toMatchObject({ code: 'SNIFF_BAD_METADATA', writes: 0 })
    }
  })

  test('19: metadata is encoded or refused', async () => {
    const metadata = { author: 'Zoë', note: ' spaced ', line: 'a\r\nb', plain: 'yes', word: '=?UTF-8?B?eA==?=' }
    const encoded = encodeMetadata(metadata)
    for (const value of Object.values(encoded)) expect(value).toMatch(/^[\u0021-\u007e]*$/)
    expect(decodeMetadata(encoded)).toEqual(metadata)
    for (const bad of [{ 'a b': 'x' }, { 'a\r\n': 'x' }, { é: 'x' }, { a: 'x'.repeat(2100) }]) {
      expect(await refusal(png(), { metadata: bad as Record<string, string> })).toMatchObject({
        code: 'SNIFF_BAD_METADATA',
        writes: 0,
      })
    }
  })
})

describe('streams', () => {
  test.each([
    ['declared', { declaredSize: 5000 }],
    ['actual', {}],
  ])('20: too many bytes, %s, end the upload', async (_, put) => {
    expect((await refusal(streamOf(Buffer.concat([png(), Buffer.alloc(9000)])), put, { maxBytes: 1000 })).code).toBe(
      'SNIFF_TOO_LARGE',
    )
  })

  test('20: more than was announced is too much as well', async () => {
    expect((await refusal(streamOf(png(600)), { declaredSize: 10 })).code).toBe('SNIFF_TOO_LARGE')
  })

  test('20: an open file that grows meanwhile is too much', async () => {
    const file = path.join(folder, 'growing')
    await writeFile(file, png())
    await using handle = await open(file)
    const grown = Object.assign(Object.create(handle) as typeof handle, {
      read: handle.read.bind(handle),
      stat: async () => {
        const stats = await handle.stat()
        await appendFile(file, 'more')
        return stats
      },
    })
    expect((await refusal(grown)).code).toBe('SNIFF_TOO_LARGE')
  })

  test('21: an early end is an error', async () => {
    const { code } = await refusal(streamOf(png()), { declaredSize: png().length + 50 })
    expect(code).toBe('SNIFF_TRUNCATED')
  })

  test('22: nothing at all is refused, or stored as nothing', async () => {
    expect((await refusal(Readable.from([]), { filename: 'a.png', declaredType: 'image/png' })).code).toBe(
      'SNIFF_EMPTY_INPUT',
    )
    const stored = await upload(new Uint8Array(0), { filename: 'a.png' }, { empty: 'allow' })
    expect(stored).toMatchObject({ size: 0, type: { mime: 'application/x-empty' }, disposition: 'attachment' })
  })

  test.each([
    ['in the head', 100],
    ['behind the head', 200_000],
  ])('23: a source that falls silent %s is let go of', async (_, size) => {
    const source = new PassThrough()
    source.write(png(2, [['noIs', Buffer.alloc(size)]]).subarray(0, size))
    expect((await refusal(source, {}, { idleTimeoutMs: 40 })).code).toBe('SNIFF_IDLE_SOURCE')
    expect(source.destroyed).toBe(true)
  })

  test('23: an idle time beyond the reach of timers is no idle time', async () => {
    const source = new PassThrough()
    setTimeout(() => source.end(png()), 50)
    expect((await upload(source, {}, { idleTimeoutMs: 2 ** 32 })).size).toBe(png().length)
  })

  test('23: a source that drips is let go of', async () => {
    let now = 0
    let let_go = false
    async function* drip(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          now += 1000
          yield Buffer.from('x')
        }
      } finally {
        let_go = true
      }
    }
    const store = new MemoryStore()
    const uploads = createUploader({ store, policy: { minBytesPerSecond: 100, idleTimeoutMs: 5000 }, now: () => now })
    await expect(uploads.put(drip())).rejects.toMatchObject({ code: 'SNIFF_SLOW_SOURCE' })
    expect(let_go).toBe(true)
    expect(now).toBeLessThan(10_000)
  })

  const failing: readonly (readonly [string, number])[] = [
    ['in the head', 100],
    ['behind the head', 200_000],
  ]
  test.each(failing)('24: a source that breaks %s leaves nothing on disk', async (_, size) => {
    const root = path.join(folder, `break-${size}`)
    const uploads = createUploader({ store: new DiskStore({ root }) })
    const bytes = png(2, [['noIs', Buffer.alloc(size)]])
    async function* source(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, size)
      throw new Error('gone')
    }
    await expect(uploads.put(Readable.from(source()))).rejects.toMatchObject({ code: 'SNIFF_SOURCE_FAILED' })
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
    expect(entries.filter((entry) => entry.isFile())).toEqual([])
  })

  test('24: an abort rejects once and leaves no rejection unhandled', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      for (const when of ['before', 'in the head', 'behind']) {
        const controller = new AbortController()
        const source = new PassThrough()
        if (when === 'before') controller.abort()
        source.write(png(2, [['noIs', Buffer.alloc(200_000)]]).subarray(0, when === 'behind' ? 150_000 : 50))
        const pending = refusal(source, { signal: controller.signal })
        setImmediate(() => controller.abort(new Error('enough')))
        expect({ when, code: (await pending).code, destroyed: source.destroyed }).toEqual({
          when,
          code: 'SNIFF_ABORTED',
          destroyed: true,
        })
      }
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
    }
  })

  test('25: a file has its name only when it is whole', async () => {
    const root = path.join(folder, 'atomic')
    const seen: string[][] = []
    const files = async (): Promise<string[]> =>
      (await readdir(root, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    async function* source(): AsyncGenerator<Uint8Array> {
      for await (const chunk of streamOf(png(2, [['noIs', Buffer.alloc(300_000)]]))) {
        if (seen.length < 12) seen.push(await files().catch(() => []))
        yield chunk as Uint8Array
      }
    }
    const store = new DiskStore({ root })
    await createUploader({ store }).put(source(), { key: 'a.png' })
    // What a crash would have left at any of these moments.
    expect(seen.flat().every((name) => name.startsWith('.content-sniff/tmp/'))).toBe(true)
    expect(await files()).toContain('a.png')
    await writeFile(path.join(root, '.content-sniff/tmp/left-by-a-crash'), 'x')
    expect(await store.sweep(60_000)).toBe(0)
    expect(await store.sweep(60_000, Date.now() + 120_000)).toBe(1)
    expect(await keysOf(store)).toEqual(['a.png'])
  })

  test('25: headers that a crash left without a file are swept, those of files are not', async () => {
    const root = path.join(folder, 'orphans')
    const store = new DiskStore({ root })
    const uploads = createUploader({ store })
    for (const key of ['kept', 'a/gone']) await uploads.put(png(), { key })
    await rm(path.join(root, 'a/gone'))
    expect(await store.sweep(60_000)).toBe(0)
    expect(await store.sweep(60_000, Date.now() + 120_000)).toBe(1)
    expect((await store.head('kept'))?.contentType).toBe('image/png')
    expect(await store.sweep(60_000, Date.now() + 120_000)).toBe(0)
  })

  test('25: an upload counts as done when bytes, headers and every new folder are on the disk', async () => {
    const root = path.join(folder, 'flushed')
    const probe = await open(folder)
    const prototype = Object.getPrototypeOf(probe) as typeof probe
    await probe.close()
    const flushed = new Set<string>()
    const sync = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: typeof probe) {
      flushed.add(path.relative(folder, await readlink(`/proc/self/fd/${this.fd}`)))
    })
    try {
      await createUploader({ store: new DiskStore({ root }) }).put(png(), { key: 'a/b/c.png' })
    } finally {
      sync.mockRestore()
    }
    const names = [...flushed].map((name) => name.replace(/[0-9a-f-]{36}/, 'temporary'))
    expect(names).toEqual(expect.arrayContaining(['', 'flushed', 'flushed/a', 'flushed/a/b']))
    expect(names).toEqual(
      expect.arrayContaining(['flushed/.content-sniff/headers/a.d/b.d', 'flushed/.content-sniff/tmp/temporary']),
    )
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('boom')
      },
    ],
    ['rejects', () => Promise.reject(new Error('boom'))],
    ['talks nonsense', () => 'text/html'],
  ])('26: a second opinion that %s changes nothing', async (kind, deep) => {
    const unknown = Buffer.from('00ff13374142ee0199', 'hex')
    const result = await sniff(unknown, { deep })
    expect(result.mime).toBe('application/octet-stream')
    expect(result.flags).toEqual(kind === 'talks nonsense' ? [] : ['DETECTOR_FAILED'])
  })

  test('27: the headers to serve with forbid guessing and running', async () => {
    for (const bytes of [png(), HTML, Buffer.from('text'), pdf()]) {
      const { headers } = await upload(bytes)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'/)
    }
    expect((await upload(HTML)).headers['content-security-policy']).toMatch(/sandbox$/)
  })
})
