import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { createUploader, MemoryStore } from '@org/content-sniff'
import { describeWith } from '@org/services'
import { type BrowserContext, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { gif, png } from './corpus/binary-samples.ts'
import { zip } from './corpus/zip-builder.ts'
import { httpServer, type HttpServer } from './support/http-server.ts'

/** Tells the server that it ran; the control at the end shows that this works where nothing forbids it. */
const ran = (name: string): string => `new Image().src='/ran?${name}'`
const html = (name: string): string =>
  `<!DOCTYPE html><html><body><p>hello</p><script>${ran(name)}</script></body></html>`
const svg = (name: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" onload="${ran(name)}"><script>${ran(name)}</script><foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="${ran(name)}"/></foreignObject></svg>`

const PAYLOADS: Readonly<Record<string, Buffer>> = {
  html: Buffer.from(html('html')),
  'html-utf16': Buffer.from(`\ufeff${html('html-utf16')}`, 'utf16le'),
  'html-late': Buffer.from(`${' '.repeat(70_000)}${html('html-late')}`),
  'html-comment': Buffer.from(`<!-- ${'x'.repeat(5000)} -->${html('html-comment')}`),
  'html-nul': Buffer.concat([Buffer.from(html('html-nul')), Buffer.from([0, 1, 2])]),
  svg: Buffer.from(svg('svg')),
  'svg-declared': Buffer.from(`<?xml version="1.0"?>${svg('svg-declared')}`),
  xhtml: Buffer.from(
    `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>${ran('xhtml')}</script></html>`,
  ),
  xml: Buffer.from(`<?xml version="1.0"?><a><script xmlns="http://www.w3.org/1999/xhtml">${ran('xml')}</script></a>`),
  xslt: Buffer.from(
    `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#s"?><d><xsl:stylesheet id="s" version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><html><script>${ran('xslt')}</script></html></xsl:template></xsl:stylesheet></d>`,
  ),
  script: Buffer.from(`#!/usr/bin/env node\n${ran('script')}`),
  text: Buffer.from(`${ran('text')}\n`),
  'gif-script': gif(`*/=1;${ran('gif-script')}//`),
  'gif-html': gif(`<script>${ran('gif-html')}</script>`),
  'png-html': Buffer.concat([png(), Buffer.from(html('png-html'))]),
  mhtml: Buffer.from(
    `From: <Saved by Blink>\nSnapshot-Content-Location: http://a/\nMIME-Version: 1.0\nContent-Type: multipart/related; type="text/html"; boundary="b"\n\n--b\nContent-Type: text/html\n\n${html('mhtml')}\n--b--\n`,
  ),
  zip: zip([{ name: 'index.html', data: html('zip') }]),
}

await describeWith('chromium', 'in a browser', () => {
  let browser: BrowserContext
  let server: HttpServer
  let profile: string
  const reported = new Set<string>()
  const downloads: string[] = []
  const store = new MemoryStore()
  const uploads = createUploader({
    store,
    // Everything is let in, and twice: as the policy serves it, and with every type allowed in place.
    policy: { mode: 'report' },
  })
  const keys: Record<string, string> = {}

  beforeAll(async () => {
    profile = await mkdtemp(path.join(tmpdir(), 'content-sniff-chromium-'))
    for (const [name, bytes] of Object.entries(PAYLOADS)) {
      keys[name] = (await uploads.put(bytes, { filename: name })).key
      const { mime } = (await uploads.put(bytes, { filename: name })).type
      const lax = createUploader({
        store,
        policy: {
          mode: 'report',
          inline: [mime],
          allow: [mime],
          tolerate: ['ACTIVE', 'ACTIVE_SVG', 'POLYGLOT', 'TRUNCATED'],
        },
      })
      keys[`inline-${name}`] = (await lax.put(bytes, { filename: name })).key
    }
    keys['picture'] = (await uploads.put(png(16), { filename: 'a.png' })).key
    keys['note'] = (await uploads.put(Buffer.from('only words, in a row\n'), { filename: 'a.txt' })).key
    server = await httpServer(async (request) => {
      const url = new URL(request.url)
      if (url.pathname === '/ran') reported.add(url.search.slice(1))
      const [, kind, name = ''] = url.pathname.split('/')
      if (kind === 'file') {
        const every = name.startsWith('inline-')
          ? { inline: [(await store.head(keys[name] ?? ''))?.contentType ?? ''] }
          : {}
        return uploads.serve(keys[name] ?? 'missing', request, every)
      }
      const page = (body: string): Response => new Response(body, { headers: { 'content-type': 'text/html' } })
      if (kind === 'page') return page(embedding(Object.keys(PAYLOADS)))
      if (kind === 'control' && name === 'embedding') return page('<script src="/control/script"></script>')
      if (kind === 'control' && name === 'script')
        return new Response(ran('script'), { headers: { 'content-type': 'text/javascript' } })
      if (kind === 'control') return page(html('control'))
      return page('<!DOCTYPE html>end')
    })
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-background-networking', '--no-first-run', '--disable-gpu'],
      acceptDownloads: true,
    })
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await server[Symbol.asyncDispose]()
    await rm(profile, { recursive: true, force: true })
  })

  /** A page of the same origin that takes files in by every way there is, as scripts and style sheets included. */
  const embedding = (names: readonly string[]): string =>
    names
      .map((name) => `/file/${name}`)
      .map(
        (url) =>
          `<img src="${url}"><iframe src="${url}"></iframe><object data="${url}"></object><embed src="${url}"><link rel="stylesheet" href="${url}"><script src="${url}"></script>`,
      )
      .join('\n')

  /** Opens addresses one after the other, then waits until the last request any of them made is through. */
  const visit = async (urls: readonly string[]): Promise<string[]> => {
    reported.clear()
    const page = await browser.newPage()
    page.on('download', (download) => downloads.push(download.suggestedFilename()))
    // A download ends a navigation; that is the answer that is wanted.
    for (const url of urls) await page.goto(server.origin + url, { waitUntil: 'load' }).catch(() => undefined)
    await page.goto(`${server.origin}/end/`, { waitUntil: 'networkidle' })
    await page.close()
    return [...reported].sort()
  }

  test('a page that nothing forbids does run, so that silence means something', async () => {
    expect(await visit(['/control/', '/control/embedding'])).toEqual(['control', 'script'])
  }, 60_000)

  test('nothing runs when it is opened', async () => {
    expect(await visit(Object.keys(PAYLOADS).map((name) => `/file/${name}`))).toEqual([])
  }, 60_000)

  test('nothing runs when every type is allowed in place', async () => {
    expect(await visit(Object.keys(PAYLOADS).map((name) => `/file/inline-${name}`))).toEqual([])
  }, 60_000)

  test('nothing runs in a page of the same origin that embeds it', async () => {
    expect(await visit(['/page/'])).toEqual([])
  }, 60_000)

  test('pages and pictures with scripts are saved, not shown', () => {
    expect(downloads).toEqual(expect.arrayContaining(['html', 'svg', 'xhtml', 'xml']))
  })

  test('a picture and a text are shown', async () => {
    const page = await browser.newPage()
    await page.goto(`${server.origin}/file/picture`)
    expect(await page.evaluate('document.images[0].naturalWidth')).toBe(16)
    await page.goto(`${server.origin}/file/note`)
    expect(await page.evaluate('document.body.innerText')).toContain('only words, in a row')
    await page.close()
  }, 30_000)
})
