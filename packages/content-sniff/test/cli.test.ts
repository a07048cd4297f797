import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { fixTypes, type FixEvent } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { gif, jpeg, pdf, png } from './corpus/binary-samples.ts'
import { zip } from './corpus/zip-builder.ts'
import { faultProxy } from './support/fault-proxy.ts'
import { clientFor, fauxBucket, type TestBucket } from './support/s3-server.ts'

vi.setConfig({ testTimeout: 60_000 })

const MAIN = path.join(import.meta.dirname, '../src/cli/main.ts')
const ARGS = ['--conditions=@org/source', '--disable-warning=ExperimentalWarning', MAIN]

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

let folder: string
let s3: TestBucket
let env: NodeJS.ProcessEnv
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'content-sniff-cli-'))
  s3 = await fauxBucket()
  env = {
    PATH: process.env['PATH'],
    HOME: folder,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
  }
})
afterAll(async () => {
  await s3[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => s3.empty())

async function command(...args: string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [...ARGS, ...args], { cwd: folder, env })) }
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome
    return { code, stdout, stderr }
  }
}

const file = async (name: string, bytes: Uint8Array | string): Promise<string> => {
  await writeFile(path.join(folder, name), bytes)
  return name
}

describe('content-sniff FILE…', () => {
  test('prints types as `file --mime` does', async () => {
    await file('picture', png())
    await file('page', '<!DOCTYPE html><p>é')
    expect(await command('picture', 'page')).toEqual({
      code: 0,
      stdout: 'picture: image/png\npage: text/html; charset=utf-8 [ACTIVE]\n',
      stderr: '',
    })
    expect((await command('--brief', 'picture')).stdout).toBe('image/png\n')
  })

  test('prints JSON, one line for each file', async () => {
    await file('table.csv', 'a\n')
    const { stdout } = await command('--json', '--use-name', 'table.csv')
    expect(JSON.parse(stdout)).toEqual({
      file: 'table.csv',
      mime: 'text/csv',
      extension: 'csv',
      charset: 'us-ascii',
      family: 'text',
      confidence: 'guess',
      flags: [],
      source: 'name',
    })
  })

  test('reads standard input', async () => {
    const child = spawn(process.execPath, [...ARGS, '-'], { env })
    child.stdin.end(pdf())
    const chunks: Buffer[] = []
    for await (const chunk of child.stdout) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString()).toBe('-: application/pdf\n')
  })

  test('goes on behind a file that is missing, and says so in the end', async () => {
    await file('picture', png())
    const { code, stdout, stderr } = await command('missing', 'picture')
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'picture: image/png\n' })
    expect(stderr).toMatch(/^missing: .*ENOENT/)
  })

  test('prints a name that would steer the terminal as text', async () => {
    await file('a\u001b[2J\u202eb', png())
    expect((await command('a\u001b[2J\u202eb')).stdout).toBe('a\\u001b[2J\\u202eb: image/png\n')
    expect(JSON.parse((await command('--json', 'a\u001b[2J\u202eb')).stdout)).toMatchObject({
      file: 'a\u001b[2J\u202eb',
    })
  })

  test('ends quietly when its reader has enough', async () => {
    await file('picture', png())
    const child = spawn(process.execPath, [...ARGS, ...Array.from({ length: 3000 }, () => 'picture')], {
      cwd: folder,
      env,
    })
    let stderr = ''
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
    child.stdout.once('data', () => child.stdout.destroy())
    const [code] = (await once(child, 'close')) as [number]
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
  })

  test.each([
    [[]],
    [['--nonsense']],
    [['fix']],
    [['upload', 'a']],
    [['fix', 'gs://a']],
    [['upload', 'a', '/tmp', '--mode', 'x']],
  ])('%j is wrong usage', async (args) => {
    expect((await command(...args)).code).toBe(2)
  })
})

describe('content-sniff upload', () => {
  test('stores under the true type and refuses what pretends', async () => {
    await file('cat.png', png())
    await file('evil.png', '#!/bin/sh\n')
    const { code, stdout, stderr } = await command(
      'upload',
      'cat.png',
      'evil.png',
      `s3://${s3.bucket}/in/`,
      '--keep-names',
      '--endpoint',
      s3.endpoint,
      '--path-style',
    )
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'cat.png: in/cat.png image/png inline\n' })
    expect(stderr).toMatch(/^evil\.png: SNIFF_TYPE_NOT_ALLOWED/)
    const head = await s3.client.send(new HeadObjectCommand({ Bucket: s3.bucket, Key: 'in/cat.png' }))
    expect([head.ContentType, head.ContentDisposition]).toEqual(['image/png', 'inline; filename=cat.png'])
  })

  test('stores in a folder too', async () => {
    await file('cat.png', png())
    const { stdout } = await command('upload', 'cat.png', 'target', '--json')
    const { key } = JSON.parse(stdout) as { key: string }
    expect((await readFile(path.join(folder, 'target', key))).equals(png())).toBe(true)
  })
})

const KINDS: readonly (readonly [extension: string, bytes: Buffer, type: string])[] = [
  ['png', png(), 'image/png'],
  ['gif', gif(), 'image/gif'],
  ['jpg', jpeg(), 'image/jpeg'],
  ['pdf', pdf(), 'application/pdf'],
  ['html', Buffer.from('<!DOCTYPE html><p>x'), 'text/html; charset=us-ascii'],
  ['json', Buffer.from('{"a":1}'), 'application/json'],
  [
    'docx',
    zip([{ name: 'word/document.xml' }, { name: 'media', data: Buffer.alloc(100_000, 1), stored: true }]),
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  ],
  ['dat', Buffer.from('00ff13374142ee0199', 'hex'), 'application/octet-stream'],
]

async function seed(client: S3Client, bucket: string, count: number): Promise<void> {
  const jobs = Array.from({ length: count }, (_, index) => index)
  const worker = async (): Promise<void> => {
    for (let index = jobs.shift(); index !== undefined; index = jobs.shift()) {
      const [extension, bytes] = KINDS[index % KINDS.length] ?? ['', Buffer.alloc(0)]
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: `old/${String(index).padStart(4, '0')}.${extension}`,
          Body: bytes,
          ContentType:
            index % 50 === 8 ? 'image/x-kept' : index % 2 === 0 ? 'application/octet-stream' : 'binary/octet-stream',
          ContentLanguage: 'de',
          CacheControl: 'max-age=5',
          Metadata: { index: String(index) },
        }),
      )
    }
  }
  await Promise.all(Array.from({ length: 12 }, worker))
}

async function collect(events: AsyncIterable<FixEvent>): Promise<FixEvent[]> {
  const all: FixEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

describe('content-sniff fix', () => {
  test('corrects a bucket of 1,000 objects, interrupted and resumed, and changes nothing else', async () => {
    await seed(s3.client, s3.bucket, 1000)
    const store = new S3Store({ client: s3.client, bucket: s3.bucket })
    const head = async (key: string) => {
      const { ContentType, ContentLanguage, CacheControl, Metadata, ETag, ContentLength } = await s3.client.send(
        new HeadObjectCommand({ Bucket: s3.bucket, Key: key }),
      )
      return { ContentType, ContentLanguage, CacheControl, Metadata, ETag, ContentLength }
    }

    const dry = await collect(fixTypes(store, { prefix: 'old/' }))
    const count = (events: readonly FixEvent[], outcome: FixEvent['outcome']) =>
      events.filter((event) => event.outcome === outcome).length
    expect([dry.length, count(dry, 'would-change'), count(dry, 'unknown'), count(dry, 'kept')]).toEqual([
      1000, 855, 125, 20,
    ])
    const before = await head('old/0000.png')
    expect(before.ContentType).toBe('application/octet-stream')

    const controller = new AbortController()
    const first: FixEvent[] = []
    for await (const event of fixTypes(store, { prefix: 'old/', apply: true, signal: controller.signal })) {
      if (event.outcome !== 'failed') first.push(event)
      if (first.length === 400) controller.abort()
    }
    expect(first.length).toBeLessThan(1000)
    const rest = await collect(fixTypes(store, { prefix: 'old/', apply: true, after: first.at(-1)?.key ?? '' }))
    expect(first.length + rest.length).toBe(1000)
    expect([...first, ...rest].map(({ key }) => key)).toEqual(dry.map(({ key }) => key))

    const wrong: unknown[] = []
    for (const [index, { key }] of dry.entries()) {
      // Every seventh meets each kind and each kept type; asking for all takes longer than correcting them.
      if (index % 7 !== 0) continue
      const [, , type] = KINDS[index % KINDS.length] ?? []
      const after = await head(key)
      const unlooked = index % 2 === 0 ? 'application/octet-stream' : 'binary/octet-stream'
      const expected = index % 50 === 8 ? 'image/x-kept' : type === 'application/octet-stream' ? unlooked : type
      if (
        after.ContentType !== expected ||
        after.Metadata?.['index'] !== String(index) ||
        after.CacheControl !== 'max-age=5'
      )
        wrong.push(after)
    }
    expect(wrong).toEqual([])
    expect(await head('old/0000.png')).toEqual({ ...before, ContentType: 'image/png' })
    expect(count(await collect(fixTypes(store, { apply: true, prefix: 'old/01' })), 'changed')).toBe(0)
  }, 180_000)

  test('is a dry run unless told to apply, and a download for pages', async () => {
    await seed(s3.client, s3.bucket, 8)
    const at = [`s3://${s3.bucket}/old/`, '--endpoint', s3.endpoint, '--path-style']
    const dry = await command('fix', ...at)
    expect(dry.code).toBe(0)
    expect(dry.stdout).toContain('old/0000.png: application/octet-stream -> image/png (dry run)\n')
    expect(dry.stderr).toContain('7 would be corrected (run again with --apply)')
    const type = async (key: string) => {
      const { ContentType, ContentDisposition } = await s3.client.send(
        new HeadObjectCommand({ Bucket: s3.bucket, Key: key }),
      )
      return [ContentType, ContentDisposition]
    }
    expect(await type('old/0000.png')).toEqual(['application/octet-stream', undefined])
    expect((await command('fix', ...at, '--apply')).stderr).toContain('7 corrected')
    expect(await type('old/0000.png')).toEqual(['image/png', undefined])
    expect(await type('old/0004.html')).toEqual(['text/html; charset=us-ascii', 'attachment'])
  }, 90_000)

  test('corrects objects whatever others named them, and prints their names as text', async () => {
    const keys = ['.cache/a', '2020:01:01 "x".png', 'nul', 'e\u0301.png', 'tab\there', ' a ', 'x//y']
    for (const Key of keys) await s3.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key, Body: png() }))
    const { code, stdout, stderr } = await command(
      'fix',
      `s3://${s3.bucket}/`,
      '--endpoint',
      s3.endpoint,
      '--path-style',
      '--apply',
    )
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: '7 looked at, 7 corrected, 0 have a type, 0 unknown, 0 failed\n',
    })
    expect(stdout).toContain('tab\\u0009here: ')
    for (const Key of keys) {
      const { ContentType } = await s3.client.send(new HeadObjectCommand({ Bucket: s3.bucket, Key }))
      expect({ Key, ContentType }).toEqual({ Key, ContentType: 'image/png' })
    }
  })

  test('says in one line that a bucket or a state file cannot be used', async () => {
    const missing = await command('fix', 's3://nothing-there/', '--endpoint', s3.endpoint, '--path-style')
    expect(missing).toEqual({
      code: 1,
      stdout: '',
      stderr: 'content-sniff: Expected the store to list objects, it failed (NoSuchBucket)\n',
    })
    await file('broken.json', '{')
    const broken = await command('fix', `s3://${s3.bucket}/`, '--endpoint', s3.endpoint, '--state', 'broken.json')
    expect(broken.code).toBe(2)
    expect(broken.stderr).toBe('content-sniff: Expected broken.json to be a state file of this command\n')
  })

  test('goes on where a run ended, by its state file', async () => {
    await seed(s3.client, s3.bucket, 160)
    await using proxy = await faultProxy(s3.endpoint)
    // From some copy on, the store answers nothing but errors.
    let copies = 0
    proxy.plan((_, method) => (method === 'PUT' && (copies += 1) > 60 ? 'error-500' : undefined))
    const args = ['fix', `s3://${s3.bucket}/old/`, '--path-style', '--apply', '--state', 'state.json', '--endpoint']
    const first = await command(...args, proxy.endpoint)
    expect(first.code).toBe(1)
    expect(first.stderr).toMatch(/[1-9]\d* failed/)
    const { after } = JSON.parse(await readFile(path.join(folder, 'state.json'), 'utf8')) as { after: string }
    expect(after > 'old/0040' && after < 'old/0100').toBe(true)

    const second = await command(...args, s3.endpoint)
    expect(second.code).toBe(0)
    expect(second.stderr).toContain(`going on after ${after}`)
    expect(second.stderr).toContain(', 0 failed')
    await expect(access(path.join(folder, 'state.json'))).rejects.toThrow('ENOENT')
    const left = await collect(fixTypes(new S3Store({ client: clientFor(s3.endpoint), bucket: s3.bucket })))
    expect(left.filter(({ outcome }) => outcome === 'would-change')).toEqual([])
  }, 120_000)
})
