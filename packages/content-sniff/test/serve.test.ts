import { gzipSync } from 'node:zlib'

import { createUploader, fixTypes, MemoryStore, serve, sniff, type StoredObject } from '@org/content-sniff'
import { beforeEach, describe, expect, test } from 'vitest'

import { pdf, png } from './corpus/binary-samples.ts'
import { noise } from './support/store-contract.ts'

const TEXT = 'The quick brown fox jumps over the lazy dog.\n'.repeat(20)
let now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
let store: MemoryStore
let key: string
let etag: string

beforeEach(async () => {
  now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  store = new MemoryStore({ now: () => now })
  ;({ key, etag } = await createUploader({ store }).put(Buffer.from(TEXT), { filename: 'fox.txt' }))
})

const get = (headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  serve(store, key, new Request('http://localhost/file', { headers, method }))

describe('a whole file', () => {
  test('comes with its type, name, tag and everything that keeps it from running', async () => {
    const response = await get()
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(TEXT)
    expect(Object.fromEntries(response.headers)).toEqual({
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=31536000, immutable',
      'content-disposition': 'inline; filename=fox.txt',
      'content-length': String(TEXT.length),
      'content-security-policy':
        "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox",
      'content-type': 'text/plain; charset=us-ascii',
      etag,
      'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      'x-content-type-options': 'nosniff',
    })
  })

  test('HEAD says the same without the bytes', async () => {
    const [got, head] = [await get(), await get({}, 'HEAD')]
    expect(head.status).toBe(200)
    expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(got.headers))
    expect(await head.text()).toBe('')
  })

  test('HEAD of nothing has no body either', async () => {
    const response = await serve(store, 'missing', new Request('http://localhost/', { method: 'HEAD' }))
    expect([response.status, response.body]).toEqual([404, null])
  })

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is not allowed', async (method) => {
    const response = await get({}, method)
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
  })

  test.each(['missing', '../etc/passwd', '', 'a\0b', '%2e%2e'])('the key %j is not found', async (missing) => {
    const response = await serve(store, missing, new Request('http://localhost/'))
    expect(response.status).toBe(404)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })
})

describe('ranges', () => {
  const size = TEXT.length
  test.each([
    ['bytes=0-3', 206, `bytes 0-3/${size}`, TEXT.slice(0, 4)],
    ['bytes=4-', 206, `bytes 4-${size - 1}/${size}`, TEXT.slice(4)],
    ['bytes=-5', 206, `bytes ${size - 5}-${size - 1}/${size}`, TEXT.slice(-5)],
    ['bytes=-99999', 206, `bytes 0-${size - 1}/${size}`, TEXT],
    ['bytes=10-99999', 206, `bytes 10-${size - 1}/${size}`, TEXT.slice(10)],
    ['Bytes=0-0', 206, `bytes 0-0/${size}`, TEXT.slice(0, 1)],
    [`bytes=${size}-`, 416, `bytes */${size}`, 'Range not satisfiable\n'],
    ['bytes=-0', 416, `bytes */${size}`, 'Range not satisfiable\n'],
    ['bytes=5-3', 200, null, TEXT],
    ['bytes=a-b', 200, null, TEXT],
    ['bytes=-', 200, null, TEXT],
    ['items=0-3', 200, null, TEXT],
    ['bytes=0-1,3-4', 200, null, TEXT],
    ['bytes=99999999999999999999-', 200, null, TEXT],
  ])('%s gives %i', async (range, status, contentRange, body) => {
    const response = await get({ range })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-range')).toBe(contentRange)
    expect(await response.text()).toBe(body)
  })

  test('the pieces of a large file make the file', async () => {
    const bytes = noise(300_000)
    const large = await createUploader({ store, policy: { mode: 'report' } }).put(bytes)
    const pieces: ArrayBuffer[] = []
    for (let at = 0; at < bytes.length; at += 70_001) {
      const response = await serve(
        store,
        large.key,
        new Request('http://localhost/', { headers: { range: `bytes=${at}-${at + 70_000}` } }),
      )
      expect(response.status).toBe(206)
      pieces.push(await response.arrayBuffer())
    }
    expect(Buffer.concat(pieces.map((piece) => Buffer.from(piece))).equals(bytes)).toBe(true)
  })
})

describe('conditions', () => {
  const at = 'Fri, 02 Jan 2026 03:04:05 GMT'
  const before = 'Fri, 02 Jan 2026 03:04:04 GMT'
  const cases: readonly (readonly [string, () => Record<string, string>, number])[] = [
    ['If-None-Match with the tag', () => ({ 'if-none-match': etag }), 304],
    ['If-None-Match with a weak form of it', () => ({ 'if-none-match': `W/${etag}` }), 304],
    ['If-None-Match with a list', () => ({ 'if-none-match': `"a", ${etag}` }), 304],
    ['If-None-Match with a star', () => ({ 'if-none-match': '*' }), 304],
    ['If-None-Match with another', () => ({ 'if-none-match': '"other"' }), 200],
    ['If-None-Match that outranks a date', () => ({ 'if-none-match': '"other"', 'if-modified-since': at }), 200],
    ['If-Modified-Since at the time', () => ({ 'if-modified-since': at }), 304],
    ['If-Modified-Since before it', () => ({ 'if-modified-since': before }), 200],
    ['If-Modified-Since with nonsense', () => ({ 'if-modified-since': 'yesterday' }), 200],
    ['If-Match with the tag', () => ({ 'if-match': etag }), 200],
    ['If-Match with a weak form of it', () => ({ 'if-match': `W/${etag}` }), 412],
    ['If-Match with another', () => ({ 'if-match': '"other"' }), 412],
    ['If-Unmodified-Since at the time', () => ({ 'if-unmodified-since': at }), 200],
    ['If-Unmodified-Since before it', () => ({ 'if-unmodified-since': before }), 412],
    ['If-Range with the tag', () => ({ range: 'bytes=0-1', 'if-range': etag }), 206],
    ['If-Range with another', () => ({ range: 'bytes=0-1', 'if-range': '"other"' }), 200],
    ['If-Range with a weak tag', () => ({ range: 'bytes=0-1', 'if-range': `W/${etag}` }), 200],
    ['If-Range with the date', () => ({ range: 'bytes=0-1', 'if-range': at }), 206],
    ['If-Range with an older date', () => ({ range: 'bytes=0-1', 'if-range': before }), 200],
  ]
  test.each(cases)('%s', async (_, headers, status) => {
    const response = await get(headers())
    expect(response.status).toBe(status)
  })

  test('a 304 repeats what caches need and nothing of the body', async () => {
    const response = await get({ 'if-none-match': etag })
    expect(response.headers.get('etag')).toBe(etag)
    expect(response.headers.get('cache-control')).toMatch(/immutable/)
    expect(response.headers.get('content-length')).toBeNull()
    expect(response.body).toBeNull()
  })
})

describe('what others stored', () => {
  const put = (contentType: string, contentDisposition: string | undefined) =>
    store.write('other', new Blob(['<script>alert(1)</script>']).stream(), {
      headers: () => ({ contentType, contentDisposition, cacheControl: undefined, metadata: {} }),
      overwrite: true,
    })

  test.each([
    ['text/html', 'inline'],
    ['image/svg+xml; charset=utf-8', 'inline; filename="a.svg"'],
    ['TEXT/HTML', undefined],
    ['application/xml', 'nonsense;;;'],
    ['not a type', 'inline'],
  ])('%j under %j is a download that cannot run', async (contentType, disposition) => {
    await put(contentType, disposition)
    const response = await serve(store, 'other', new Request('http://localhost/'))
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(response.headers.get('content-security-policy')).toMatch(/sandbox$/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('cache-control')).toBe('private, max-age=0, must-revalidate')
  })

  test('a header of the caller cannot make it less safe', async () => {
    await put('text/html', 'inline')
    const response = await serve(store, 'other', new Request('http://localhost/'), {
      headers: { 'content-security-policy': 'default-src *', 'x-content-type-options': '', 'x-mine': 'kept' },
    })
    expect(response.headers.get('content-security-policy')).toMatch(/sandbox$/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('x-mine')).toBe('kept')
  })

  test('a caller may ask for a download', async () => {
    const response = await serve(store, key, new Request('http://localhost/'), { download: true })
    expect(response.headers.get('content-disposition')).toBe('attachment; filename=fox.txt')
  })
})

describe('what others stored compressed', () => {
  class Compressed extends MemoryStore {
    override async head(key: string): Promise<StoredObject | undefined> {
      const object = await super.head(key)
      return object === undefined ? undefined : { ...object, contentEncoding: 'gzip' }
    }
  }
  const compressed = async () => {
    const store = new Compressed()
    await store.write('a.png', new Blob([gzipSync(png())]).stream(), {
      headers: () => ({
        contentType: 'application/octet-stream',
        contentDisposition: undefined,
        cacheControl: undefined,
        metadata: {},
      }),
    })
    return store
  }

  test('is served as such', async () => {
    const response = await serve(await compressed(), 'a.png', new Request('http://localhost/'))
    expect(response.headers.get('content-encoding')).toBe('gzip')
  })

  test('keeps its type, since its bytes are not those that a browser sees', async () => {
    const events = []
    for await (const event of fixTypes(await compressed(), { apply: true })) events.push(event)
    expect(events).toEqual([{ key: 'a.png', outcome: 'unknown', before: 'application/octet-stream' }])
  })

  test('is deleted when it came past the server', async () => {
    const store = await compressed()
    await expect(createUploader({ store }).verifyUploaded('a.png')).rejects.toMatchObject({ code: 'SNIFF_REJECTED' })
    expect(await store.head('a.png')).toBeUndefined()
  })
})

test('a PDF may use the viewer of the browser and nothing else', async () => {
  const uploads = createUploader({ store })
  const stored = await uploads.put(pdf(), { filename: 'a.pdf' })
  const policy = (await uploads.serve(stored.key, new Request('http://localhost/'))).headers.get(
    'content-security-policy',
  )
  expect(policy).toMatch(/^default-src 'none'; object-src 'self'/)
  expect(policy).not.toMatch(/script-src/)
})

describe('an upload that went to the store directly', () => {
  const direct = async (bytes: Uint8Array, contentType: string) => {
    const uploads = createUploader({ store, policy: { allow: ['image'], maxBytes: 10_000 } })
    await store.write('direct', new Blob([bytes]).stream(), {
      headers: () => ({ contentType, contentDisposition: 'attachment', cacheControl: undefined, metadata: { a: 'b' } }),
      overwrite: true,
    })
    return uploads.verifyUploaded('direct', { filename: 'a.png', declaredType: contentType })
  }

  test('gets its true headers', async () => {
    expect(await direct(png(), 'image/png')).toMatchObject({ type: { mime: 'image/png' }, disposition: 'inline' })
    expect(await store.head('direct')).toMatchObject({
      contentType: 'image/png',
      contentDisposition: 'inline; filename=a.png',
      metadata: { a: 'b' },
    })
    expect((await sniff(png())).flags).toEqual([])
  })

  test.each([
    ['something else', Buffer.from('<html>'), 'SNIFF_TYPE_NOT_ALLOWED'],
    ['too large', png(2, [['noIs', noise(20_000)]]), 'SNIFF_TOO_LARGE'],
    ['empty', Buffer.alloc(0), 'SNIFF_EMPTY_INPUT'],
  ])('is deleted when it is %s', async (_, bytes, code) => {
    await expect(direct(bytes, 'image/png')).rejects.toMatchObject({ code })
    expect(await store.head('direct')).toBeUndefined()
  })
})
