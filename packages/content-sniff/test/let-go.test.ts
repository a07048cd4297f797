import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'

import { createUploader, DiskStore, MemoryStore, type SniffError, sniff, sniffStream } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { png } from './corpus/binary-samples.ts'
import { fauxBucket } from './support/s3-server.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'content-sniff-let-go-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Files below the folder that this process holds open. */
async function openFiles(): Promise<string[]> {
  const names = await readdir('/proc/self/fd')
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(folder))
}

/** Text without end, and whether its consumer let go of it. */
function endless() {
  const state = { letGo: false }
  const chunk = Buffer.alloc(70_000, 'text ')
  const web = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(chunk),
      cancel: () => {
        state.letGo = true
      },
    })
  async function* generator(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield chunk
    } finally {
      state.letGo = true
    }
  }
  const node = () =>
    new Readable({
      read() {
        this.push(chunk)
      },
      destroy: (_, done) => {
        state.letGo = true
        done(null)
      },
    })
  return { state, web, generator, node }
}

describe('what nobody reads is let go of', () => {
  test('a stored body that is cancelled before its first byte holds no file', async () => {
    const uploads = createUploader({ store: new DiskStore({ root: path.join(folder, 'unread') }) })
    const { key } = await uploads.put(png())
    for (const range of ['bytes=0-3', '']) {
      const response = await uploads.serve(key, new Request('http://localhost/', { headers: { range } }))
      await response.body?.cancel()
    }
    expect(await openFiles()).toEqual([])
  })

  test('a Node stream that was sniffed and destroyed unread', async () => {
    const { state, node } = endless()
    const { stream, complete, result } = await sniffStream(node())
    stream.destroy()
    expect(await complete).toEqual(result)
    expect(state.letGo).toBe(true)
  })

  test('a web stream that was sniffed and cancelled unread', async () => {
    const { state, web } = endless()
    const { stream, complete, result } = await sniffStream(web())
    await stream.cancel()
    expect(await complete).toEqual(result)
    expect(state.letGo).toBe(true)
  })

  test('a generator that was sniffed and left unread', async () => {
    const { state, generator } = endless()
    const { stream, complete, result } = await sniffStream(generator())
    await stream[Symbol.asyncIterator]().return?.()
    expect(await complete).toEqual(result)
    expect(state.letGo).toBe(true)
  })

  test.each(['node', 'web', 'generator'] as const)('a %s source that was only sniffed', async (kind) => {
    const source = endless()
    await sniff(source[kind]())
    expect(source.state.letGo).toBe(true)
  })

  test('a sniffed stream that is destroyed while its source hangs', async () => {
    const source = new Readable({ read: () => undefined })
    source.push(Buffer.alloc(70_000, 'text '))
    const { stream, complete } = await sniffStream(source)
    const reading = stream.toArray().catch((error: unknown) => error)
    stream.once('data', () => setImmediate(() => stream.destroy()))
    await Promise.all([complete, reading])
    expect(source.destroyed).toBe(true)
  })
})

describe('a peer that sends byte by byte', () => {
  async function* crumbs(count: number): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from('some text ')
    for (let index = 0; index < count; index += 1) yield bytes.subarray(index % 10, (index % 10) + 1)
  }

  /** Processor time of a piece of work. */
  async function cpu(work: () => Promise<unknown>): Promise<number> {
    const before = process.cpuUsage()
    await work()
    return process.cpuUsage(before).user
  }

  const works: readonly (readonly [string, (count: number) => Promise<unknown>])[] = [
    ['sniffing', async (count) => new Response(ReadableStream.from((await sniffStream(crumbs(count))).stream)).text()],
    ['storing', (count) => createUploader({ store: new MemoryStore() }).put(crumbs(count))],
  ]
  test.each(works)('costs %s as much for its last byte as for its first', async (_, work) => {
    await work(20_000)
    const few = await cpu(() => work(50_000))
    const many = await cpu(() => work(200_000))
    // Four times as many; by the square of their number it would be sixteen times the work.
    expect(many / few).toBeLessThan(10)
  })

  test('is stored as it was sent, on disk and on S3', async () => {
    await using s3 = await fauxBucket()
    const stores = [
      new DiskStore({ root: path.join(folder, 'crumbs') }),
      new S3Store({ client: s3.client, bucket: s3.bucket }),
    ]
    for (const store of stores) {
      const uploads = createUploader({ store })
      const { key } = await uploads.put(crumbs(150_001))
      const text = await (await uploads.serve(key, new Request('http://localhost/'))).text()
      expect(text).toBe('some text '.repeat(15_001).slice(0, 150_001))
    }
  })
})

test('a refused upload can be answered when the request is not to be destroyed', async () => {
  const uploads = createUploader({ store: new MemoryStore() })
  const server = http.createServer((request, response) => {
    uploads
      .put(request.iterator({ destroyOnReturn: false }), { declaredType: 'image/png' })
      .catch((error: unknown) => response.writeHead(415, { connection: 'close' }).end((error as SniffError).code))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const answer = await new Promise<string>((resolve, reject) => {
      const request = http.request({ port, method: 'POST' }, (response) => {
        response.setEncoding('utf8').on('data', (text: string) => resolve(`${response.statusCode} ${text}`))
      })
      request.on('error', reject)
      request.end(Buffer.alloc(200_000, '<html>'))
    })
    expect(answer).toBe('415 SNIFF_TYPE_MISMATCH')
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
