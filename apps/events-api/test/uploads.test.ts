import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { describeWith } from '@org/services'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'

import { openBrowser } from './support/browser.ts'
import { until } from './support/until.ts'
import { usePool } from './support/use-pool.ts'
import { type Answer, type World } from './support/world.ts'

const worlds = usePool('people')

const picture = () =>
  sharp({ create: { width: 1600, height: 800, channels: 3, background: '#2a6f97' } })
    .png()
    .toBuffer()

/** A minimal document, with a script that a careless reader would run. */
const pdf = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>endobj
2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj
trailer<</Root 1 0 R>>
%%EOF
`
const mark = 'document.title = "executed"; fetch("/executed")'
const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload='${mark}'><script>${mark}</script></svg>`
const html = `<!doctype html><title>quiet</title><script>${mark}</script>`

function upload(world: World, content: string | Uint8Array, name: string, type?: string): Promise<Answer> {
  const body = new FormData()
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content)
  body.append('files', new Blob([bytes], type === undefined ? {} : { type }), name)
  return world.request('POST', '/v1/upload/files', { as: 'organiser', body })
}

const urlOf = (answer: Answer): string => answer.json.data[0].attributes.url

describe('what comes in goes out under its true type', () => {
  test.each([
    ['a picture', picture, 'logo.png', 'image/png', 'inline'],
    ['a PDF', () => Promise.resolve(pdf), 'paper.pdf', 'application/pdf', 'inline'],
    ['an SVG with script', () => Promise.resolve(svg), 'logo.svg', 'image/svg+xml', 'attachment'],
    ['a page', () => Promise.resolve(html), 'page.html', 'text/html', 'attachment'],
  ])('%s', async (_, make, name, mime, disposition) => {
    await using world = await worlds.open()
    const answer = await upload(world, await make(), name)
    expect(answer.status).toBe(201)
    expect(answer.json.data[0].attributes).toMatchObject({ 'media-type': mime, filename: name })
    const { status, headers } = await world.request('GET', urlOf(answer))
    expect(status).toBe(200)
    expect(headers.get('content-type')?.split(';')[0]).toBe(mime)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-disposition')).toMatch(new RegExp(`^${disposition}`))
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  })
})

describe('what is not what it claims is refused, and nothing is kept', () => {
  test.each([
    ['a page called a picture', html, 'logo.png', 'image/png'],
    ['a script called a picture', '#!/bin/sh\nrm -rf /\n', 'logo.gif', 'image/gif'],
    ['a picture with a page behind it', `GIF89a/*${html}*/`, 'logo.html', 'text/html'],
    ['a program', Uint8Array.of(0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0), 'setup.exe', undefined],
    ['nothing', '', 'empty.txt', 'text/plain'],
  ])('%s', async (_, content, name, type) => {
    await using world = await worlds.open()
    const answer = await upload(world, content, name, type)
    expect(answer).toMatchObject({ status: 422, json: { errors: [{ code: 'rejected_file' }] } })
    expect((await world.request('GET', '/v1/uploads', { as: 'organiser' })).json.meta.count).toBe(0)
    for await (const { key } of world.service.uploaders.files.store.list()) expect.fail(`kept ${key}`)
  })

  test('an archive behind a picture', async () => {
    await using world = await worlds.open()
    const archive = Buffer.from(
      'UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAAFAAAAYS5odG1QSwECFAAUAAAAAAAAACEAAAAAAAAAAAAAAAAABQAAAAAAAAAAAAAAAAAAAAAAYS5odG1QSwUGAAAAAAEAAQAzAAAAIwAAAAAA',
      'base64',
    )
    const answer = await upload(world, Buffer.concat([await picture(), archive]), 'logo.png', 'image/png')
    expect(answer.status).toBe(422)
  })
})

describe('many files in one form', () => {
  const form = (...files: readonly (readonly [content: string, name: string, type: string])[]) => {
    const body = new FormData()
    for (const [content, name, type] of files) body.append('files', new Blob([content], { type }), name)
    return body
  }
  const words = (name: string) => ['plain words\n', name, 'text/plain'] as const

  test('are stored in their order', async () => {
    await using world = await worlds.open()
    const names = ['a.txt', 'b.txt', 'c.txt']
    const body = form(...names.map(words))
    body.append('note', 'no file')
    const answer = await world.request('POST', '/v1/upload/files', { as: 'organiser', body })
    expect(answer.status).toBe(201)
    expect(answer.json.data.map((one: { attributes: object }) => one.attributes)).toMatchObject(
      names.map((filename) => ({ filename, 'size-bytes': 12 })),
    )
  })

  test.each([
    ['one that is refused', form(words('a.txt'), ['<html>', 'b.png', 'image/png'], words('c.txt')), 422],
    ['more than ten', form(...Array.from({ length: 11 }, (_, index) => words(`${index}.txt`))), 400],
  ])('%s takes the others with it', async (_, body, status) => {
    await using world = await worlds.open()
    expect((await world.request('POST', '/v1/upload/files', { as: 'organiser', body })).status).toBe(status)
    expect((await world.request('GET', '/v1/uploads', { as: 'organiser' })).json.meta.count).toBe(0)
    for await (const { key } of world.service.uploaders.files.store.list()) expect.fail(`kept ${key}`)
  })

  test('a form that ends too early, and one whose sender goes away, leave nothing', async () => {
    await using world = await worlds.open()
    const authorization = `Bearer ${await world.tokenOf('organiser')}`
    const headers = { authorization, 'content-type': 'multipart/form-data; boundary=b' }
    const start = '--b\r\ncontent-disposition: form-data; name="files"; filename="a.txt"\r\n\r\nsome words'
    const cut = await fetch(`${world.url}/v1/upload/files`, { method: 'POST', headers, body: start })
    expect(cut.status).toBe(400)
    async function* hangingUp(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(start)
      throw new Error('gone')
    }
    const gone = fetch(`${world.url}/v1/upload/files`, {
      method: 'POST',
      headers,
      body: ReadableStream.from(hangingUp()),
      duplex: 'half',
    })
    await expect(gone).rejects.toThrow('fetch failed')
    // The server hears of it a moment later.
    await until('temporary files gone', async () => {
      const left = await readdir(path.join(world.folder, 'files'), { recursive: true, withFileTypes: true }).catch(
        () => [],
      )
      return left.every((entry) => entry.isDirectory()) ? true : undefined
    })
  })
})

test('a large file passes through, and is never held as a whole', async () => {
  await using world = await worlds.open(undefined, { maxUploadBytes: 100_000_000 })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const chunk = Buffer.alloc(256 * 1024, 'words, and more of them\n')
  const live = async (): Promise<number> => {
    collect()
    // Memory outside the heap is given back a turn after its object is found dead.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    return process.memoryUsage().arrayBuffers
  }
  let base = 0
  let most = 0
  async function* body(): AsyncGenerator<Uint8Array> {
    base = await live()
    yield Buffer.from('--b\r\ncontent-disposition: form-data; name="files"; filename="large.txt"\r\n\r\n')
    for (let count = 0; count < 256; count += 1) {
      yield chunk
      if (count % 16 === 15) most = Math.max(most, (await live()) - base)
    }
    yield Buffer.from('\r\n--b--\r\n')
  }
  const response = await fetch(`${world.url}/v1/upload/files`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await world.tokenOf('organiser')}`,
      'content-type': 'multipart/form-data; boundary=b',
    },
    body: ReadableStream.from(body()),
    duplex: 'half',
  })
  const { data } = (await response.json()) as { data: readonly { attributes: { 'size-bytes': number } }[] }
  expect(data[0]?.attributes['size-bytes']).toBe(256 * chunk.length)
  // 64 MiB went by; what both ends of the connection hold at a time is a few chunks.
  expect(most).toBeLessThan(8 * 1024 * 1024)
}, 120_000)

test('an image gets its sizes from a job, smaller and without metadata', async () => {
  await using world = await worlds.open()
  await world.work()
  const original = await sharp(await picture())
    .withExif({ IFD0: { Copyright: 'somebody' } })
    .toBuffer()
  const body = JSON.stringify({ data: `data:image/png;base64,${original.toString('base64')}`, filename: 'me.png' })
  const headers = { 'content-type': 'application/json' }
  const { status, json } = await world.request('POST', '/v1/upload/image', { as: 'organiser', body, headers })
  expect(status).toBe(201)
  const upload = await until('sizes', async () => {
    const answer = await world.request('GET', `${json.data.links.self}?include=task`, { as: 'organiser' })
    // The two are read one after the other: the job may end in between.
    const { sizes } = answer.json.data.attributes
    return answer.json.included[0].attributes.state === 'done' && sizes !== null ? { sizes } : undefined
  })
  const sizes = JSON.parse(upload.sizes) as Record<string, string>
  for (const [name, width, height] of [
    ['large', 1000, 500],
    ['thumbnail', 400, 200],
    ['icon', 60, 30],
  ] as const) {
    const response = await fetch(world.url + sizes[name])
    expect(response.headers.get('content-type')).toBe('image/webp')
    const metadata = await sharp(Buffer.from(await response.arrayBuffer())).metadata()
    expect({ ...metadata }).toMatchObject({ width, height })
    expect(metadata.exif).toBeUndefined()
  }
})

describe('an image in a document', () => {
  const pixel = `data:image/gif;base64,${Buffer.from('GIF89a').toString('base64')}`

  test.each([
    [
      'an unknown member',
      { data: pixel, filname: 'a.gif' },
      'malformed_document',
      '/filname',
      'Expected no member `filname`',
    ],
    ['a name that is no text', { data: pixel, filename: 7 }, 'malformed_document', '/filename', 'Expected a string'],
    ['no data', { filename: 'a.gif' }, 'malformed_document', '', 'Expected a member `data`'],
    ['a list', [pixel], 'malformed_document', '', 'Expected an object'],
    ['nothing', null, 'malformed_document', '', 'Expected an object'],
    ['no data URL', { data: 'GIF89a' }, 'invalid_upload', '/data', 'Expected `data` to be a data URL in base64'],
  ])('with %s is refused', async (_, body, code, pointer, detail) => {
    await using world = await worlds.open()
    const headers = { 'content-type': 'application/json' }
    const answer = await world.request('POST', '/v1/upload/image', {
      as: 'organiser',
      body: JSON.stringify(body),
      headers,
    })
    expect(answer.json.errors).toEqual([
      { status: '400', code, title: expect.any(String), detail, source: { pointer } },
    ])
    expect((await world.request('GET', '/v1/uploads', { as: 'organiser' })).json.meta.count).toBe(0)
  })

  test('that is none is refused with its place', async () => {
    await using world = await worlds.open()
    const body = { data: `data:image/png;base64,${Buffer.from('plain words').toString('base64')}` }
    const headers = { 'content-type': 'application/json' }
    const answer = await world.request('POST', '/v1/upload/image', { as: 'organiser', body, headers })
    expect(answer.json.errors).toMatchObject([{ code: 'rejected_file', source: { pointer: '/data' } }])
  })
})

test.each(['image', 'files'])('an upload of %s takes no query parameter', async (what) => {
  await using world = await worlds.open()
  const answer = await world.request('POST', `/v1/upload/${what}?purpose=avatar`, { as: 'organiser', body: {} })
  expect(answer.json.errors).toMatchObject([{ code: 'unknown_parameter', source: { parameter: 'purpose' } }])
})

test('a trashed upload is not served until it is restored; a deleted one leaves no file', async () => {
  await using world = await worlds.open()
  await world.work()
  const url = urlOf(await upload(world, 'plain words\n', 'words.txt', 'text/plain'))
  expect((await world.request('GET', url)).text).toBe('plain words\n')
  await world.request('DELETE', '/v1/uploads/1', { as: 'organiser' })
  expect((await world.request('GET', url)).status).toBe(404)
  await world.request('POST', '/v1/uploads/1/restore', { as: 'organiser' })
  expect((await world.request('GET', url)).status).toBe(200)
  await world.request('DELETE', '/v1/uploads/1?permanent=true', { as: 'admin' })
  const key = url.replace('/files/', '')
  await until('file gone', async () =>
    (await world.service.uploaders.files.store.head(key)) === undefined ? true : undefined,
  )
})

test.each(['/files/../secret', '/files/..%2f..%2fetc%2fpasswd', '/files/%00', '/files/.content-sniff/x'])(
  '%s is a 404',
  async (url) => {
    await using world = await worlds.open()
    expect((await world.request('GET', url)).status).toBe(404)
  },
)

await describeWith('chromium', 'a real browser', () => {
  test('executes nothing of what was uploaded', async () => {
    await using world = await worlds.open()
    const urls = []
    for (const [content, name] of [
      [svg, 'logo.svg'],
      [html, 'page.html'],
      [pdf, 'paper.pdf'],
      [await picture(), 'logo.png'],
    ] as const) {
      urls.push(world.url + urlOf(await upload(world, content, name)))
    }
    await using browser = await openBrowser()
    const requested: string[] = []
    browser.context.on('request', (request) => requested.push(request.url()))
    const page = await browser.context.newPage()
    for (const url of urls) {
      // An attachment starts a download: there is no page then.
      const failure = await page.goto(url).then(
        () => undefined,
        (error: unknown) => String(error),
      )
      expect(failure ?? 'Download is starting').toContain('Download is starting')
      expect(await page.title()).not.toBe('executed')
      await page.goto(`${world.url}/docs/start.js`)
      await page.setContent(`<iframe src="${url}"></iframe><object data="${url}"></object><img src="${url}">`)
      // Everything has loaded by now; what it would run, it runs before the next picture.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
      expect(await page.title()).not.toBe('executed')
    }
    expect(requested.filter((url) => url.endsWith('/executed'))).toEqual([])
  }, 90_000)
})
