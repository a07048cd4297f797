import { createHash } from 'node:crypto'

import type { ObjectHeaders, Store, StoredObject } from '@org/content-sniff'
import { describe, expect, test } from 'vitest'

/** A store to test, and a look behind it. */
export interface StoreUnderTest {
  readonly store: Store
  /** True when nothing at all is left: no object, no part, no temporary file. */
  readonly isClean: () => Promise<boolean>
}

const HEADERS: ObjectHeaders = {
  contentType: 'text/plain; charset=utf-8',
  contentDisposition: 'attachment; filename="a.txt"',
  cacheControl: 'private, max-age=0',
  metadata: { origin: 'test', 'second-key': 'x y' },
}

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part
}

/** Bytes that look like noise and are the same in every run. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

async function* sliced(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function readAll(store: Store, key: string): Promise<Buffer> {
  const opened = await store.read(key)
  if (opened === undefined) throw new Error(`no ${key}`)
  return Buffer.from(await new Response(opened.body).arrayBuffer())
}

const without = (object: StoredObject | undefined) =>
  object === undefined ? undefined : { ...object, lastModified: undefined, etag: undefined }

/** What every store must do; runs over all of them. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of stores`, () => {
    test('stores bytes with their headers and gives both back', async () => {
      const { store } = await open()
      const written = await store.write('folder/a.txt', chunks('hello ', 'world'), { headers: () => HEADERS })
      expect(without(written)).toEqual({
        key: 'folder/a.txt',
        size: 11,
        ...HEADERS,
        lastModified: undefined,
        etag: undefined,
      })
      expect(without(await store.head('folder/a.txt'))).toEqual(without(written))
      expect((await store.head('folder/a.txt'))?.etag).toBe(written.etag)
      expect((await readAll(store, 'folder/a.txt')).toString()).toBe('hello world')
    })

    test('stores an empty body', async () => {
      const { store } = await open()
      expect((await store.write('empty', chunks(), { headers: () => HEADERS })).size).toBe(0)
      expect((await readAll(store, 'empty')).length).toBe(0)
    })

    test('stores many parts unchanged, in whatever chunks they come', async () => {
      const { store } = await open()
      const bytes = noise(11 * 1024 * 1024 + 17)
      const { size } = await store.write('big', sliced(bytes, 100_003), { headers: () => HEADERS })
      expect(size).toBe(bytes.length)
      const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex')
      expect(digest(await readAll(store, 'big'))).toBe(digest(bytes))
    }, 30_000)

    test('asks for headers after a short body, so that they may depend on its end', async () => {
      const { store } = await open()
      let contentType = 'application/octet-stream'
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('a')
        contentType = 'text/csv'
      }
      const written = await store.write('late', body(), { headers: () => ({ ...HEADERS, contentType }) })
      expect(written.contentType).toBe('text/csv')
    })

    test('reads ranges, both ends included', async () => {
      const { store } = await open()
      await store.write('r', chunks('0123456789'), { headers: () => HEADERS })
      const opened = await store.read('r', { range: { start: 2, end: 4 } })
      expect(await new Response(opened?.body).text()).toBe('234')
      expect(opened?.object.size).toBe(10)
    })

    test('has nothing where nothing is', async () => {
      const { store } = await open()
      expect(await store.head('missing')).toBeUndefined()
      expect(await store.read('missing')).toBeUndefined()
      await expect(store.delete('missing')).resolves.toBeUndefined()
      await expect(store.updateHeaders('missing', HEADERS)).rejects.toMatchObject({ code: 'SNIFF_NOT_FOUND' })
    })

    test('refuses a key that is taken and keeps what is there', async () => {
      const { store } = await open()
      await store.write('k', chunks('first'), { headers: () => HEADERS })
      await expect(store.write('k', chunks('second'), { headers: () => HEADERS })).rejects.toMatchObject({
        code: 'SNIFF_EXISTS',
      })
      expect((await readAll(store, 'k')).toString()).toBe('first')
    })

    test('replaces an object with its headers when asked to', async () => {
      const { store } = await open()
      const first = await store.write('k', chunks('first'), { headers: () => HEADERS })
      const second = await store.write('k', chunks('other'), {
        headers: () => ({ ...HEADERS, contentType: 'text/csv' }),
        overwrite: true,
      })
      expect(second.etag).not.toBe(first.etag)
      expect((await store.head('k'))?.contentType).toBe('text/csv')
      expect((await readAll(store, 'k')).toString()).toBe('other')
    })

    test('changes headers in place and nothing else', async () => {
      const { store } = await open()
      await store.write('k', chunks('same'), { headers: () => HEADERS })
      const changed: ObjectHeaders = {
        contentType: 'image/png',
        contentDisposition: 'inline',
        cacheControl: 'no-store',
        metadata: { a: 'b' },
      }
      expect(await store.updateHeaders('k', changed)).toMatchObject(changed)
      expect(await store.head('k')).toMatchObject(changed)
      expect((await readAll(store, 'k')).toString()).toBe('same')
    })

    test('changes no headers of an object that was replaced meanwhile', async () => {
      const { store } = await open()
      const { etag } = await store.write('k', chunks('one'), { headers: () => HEADERS })
      await store.write('k', chunks('two, longer'), { headers: () => HEADERS, overwrite: true })
      await expect(store.updateHeaders('k', { ...HEADERS, contentType: 'x/y' }, { etag })).rejects.toMatchObject({
        code: 'SNIFF_NOT_FOUND',
      })
      expect((await store.head('k'))?.contentType).toBe(HEADERS.contentType)
    })

    test('deletes', async () => {
      const { store, isClean } = await open()
      await store.write('a/b/c', chunks('x'), { headers: () => HEADERS })
      await store.delete('a/b/c')
      expect(await store.head('a/b/c')).toBeUndefined()
      expect(await isClean()).toBe(true)
    })

    test('lists by prefix and position, in order', async () => {
      const { store } = await open()
      for (const key of ['b', 'a/2', 'a/1', 'a/3', 'c']) await store.write(key, chunks(key), { headers: () => HEADERS })
      const keys = async (options?: Parameters<Store['list']>[0]): Promise<string[]> => {
        const found: string[] = []
        for await (const { key } of store.list(options)) found.push(key)
        return found
      }
      expect(await keys()).toEqual(['a/1', 'a/2', 'a/3', 'b', 'c'])
      expect(await keys({ prefix: 'a/', after: 'a/1' })).toEqual(['a/2', 'a/3'])
    })

    test.each(['../x', '/x', 'a//b', 'a/../b', '.', 'a/./b', 'a\\b', 'a\0b', 'nul', 'x. ', '', 'a\nb'])(
      'refuses the key %j',
      async (key) => {
        const { store, isClean } = await open()
        await expect(store.write(key, chunks('x'), { headers: () => HEADERS })).rejects.toMatchObject({
          code: 'SNIFF_BAD_KEY',
        })
        await expect(store.head(key)).rejects.toMatchObject({ code: 'SNIFF_BAD_KEY' })
        expect(await isClean()).toBe(true)
      },
    )

    test.each([0, 10, 6 * 1024 * 1024])('leaves nothing when the body fails after %i bytes', async (size) => {
      const { store, isClean } = await open()
      const failure = new Error('the client went away')
      async function* body(): AsyncGenerator<Uint8Array> {
        yield* sliced(noise(size), 65_536)
        throw failure
      }
      await expect(store.write('k', body(), { headers: () => HEADERS })).rejects.toBe(failure)
      expect(await isClean()).toBe(true)
    })

    test.each([10, 6 * 1024 * 1024])(
      'leaves nothing when the signal aborts after %i bytes of a source that hangs',
      async (size) => {
        const { store, isClean } = await open()
        const controller = new AbortController()
        async function* body(): AsyncGenerator<Uint8Array> {
          yield* sliced(noise(size), 65_536)
          setImmediate(() => controller.abort())
          await new Promise(() => undefined)
        }
        await expect(
          store.write('k', body(), { headers: () => HEADERS, signal: controller.signal }),
        ).rejects.toMatchObject({ code: 'SNIFF_ABORTED' })
        expect(await isClean()).toBe(true)
      },
    )

    test('keeps the old object when a replacement fails', async () => {
      const { store } = await open()
      await store.write('k', chunks('old'), { headers: () => HEADERS })
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('new')
        throw new Error('no')
      }
      await expect(store.write('k', body(), { headers: () => HEADERS, overwrite: true })).rejects.toThrow('no')
      expect((await readAll(store, 'k')).toString()).toBe('old')
      expect(await store.head('k')).toMatchObject(HEADERS)
    })

    test('lets one of many writers of a key win', async () => {
      const { store } = await open()
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) =>
          store.write('k', chunks(`writer ${index}`), { headers: () => HEADERS, overwrite: true }),
        ),
      )
      expect(results.some(({ status }) => status === 'fulfilled')).toBe(true)
      expect((await readAll(store, 'k')).toString()).toMatch(/^writer \d$/)
    })
  })
}
