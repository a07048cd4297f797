import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'

import { createUploader, DiskStore, MemoryStore, SniffError, sniff, sniffStream } from '@org/content-sniff'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

let root: string
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'content-sniff-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

test('sniffs bytes and streams alike', async () => {
  expect((await sniff(PNG)).mime).toBe('image/png')
  const { result, stream, complete } = await sniffStream(Readable.from([PNG.subarray(0, 1), PNG.subarray(1)]))
  expect(result.mime).toBe('image/png')
  expect(Buffer.concat(await stream.toArray())).toEqual(PNG)
  expect((await complete).mime).toBe('image/png')
  expect(await sniff(Buffer.from('<!-- x --> <SVG onload=alert(1)>'))).toMatchObject({
    mime: 'image/svg+xml',
    family: 'markup',
  })
})

describe.each([
  ['disk', () => new DiskStore({ root })],
  ['memory', () => new MemoryStore()],
])('on %s', (_, makeStore) => {
  test('stores under the true type and serves it back', async () => {
    const uploads = createUploader({ store: makeStore() })
    const { key, disposition } = await uploads.put(Readable.from([PNG]), {
      filename: 'a.png',
      declaredType: 'image/png',
    })
    expect(disposition).toBe('inline')
    const response = await uploads.serve(key, new Request('http://x/', { headers: { range: 'bytes=1-3' } }))
    expect(response.status).toBe(206)
    expect(await response.text()).toBe('PNG')
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': 'inline; filename=a.png',
      'x-content-type-options': 'nosniff',
    })
  })

  test('refuses HTML that claims to be a picture', async () => {
    const store = makeStore()
    const uploads = createUploader({ store })
    const failure = await uploads
      .put(Buffer.from('<html>'), { declaredType: 'image/png' })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SniffError)
    expect(failure).toMatchObject({ code: 'SNIFF_TYPE_MISMATCH' })
    expect(await Readable.from(store.list()).toArray()).toEqual([])
    expect(await readdir(root)).toEqual([])
  })
})
