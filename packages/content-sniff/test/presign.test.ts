import { createUploader } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { png } from './corpus/binary-samples.ts'
import { fauxBucket, type TestBucket } from './support/s3-server.ts'

let s3: TestBucket
let store: S3Store
beforeAll(async () => {
  s3 = await fauxBucket()
  store = new S3Store({ client: s3.client, bucket: s3.bucket, prefix: 'in/' })
})
afterAll(() => s3[Symbol.asyncDispose]())

test('a link to read names the download and lives as long as asked', async () => {
  await store.write('a', new Blob([png()]).stream(), {
    headers: () => ({ contentType: 'image/png', contentDisposition: 'inline', cacheControl: undefined, metadata: {} }),
  })
  const url = new URL(await store.presignGet('a', { filename: 'ä/../b.png', expiresInSeconds: 60 }))
  expect(url.pathname).toBe(`/${s3.bucket}/in/a`)
  expect(url.searchParams.get('response-content-disposition')).toBe('attachment; filename=b.png')
  expect(url.searchParams.get('X-Amz-Expires')).toBe('60')
  expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(png())).toBe(true)
})

test('a link to send has type, length and disposition in its signature', async () => {
  const url = new URL(await store.presignPut('b', { contentType: 'image/png', contentLength: png().length }))
  expect(url.searchParams.get('X-Amz-SignedHeaders')?.split(';').sort()).toEqual([
    'content-disposition',
    'content-length',
    'content-type',
    'host',
    'if-none-match',
  ])
  const answer = await fetch(url, {
    method: 'PUT',
    body: png(),
    headers: { 'content-type': 'image/png', 'content-disposition': 'attachment', 'if-none-match': '*' },
  })
  expect(answer.status).toBe(200)
  const uploads = createUploader({ store, policy: { allow: ['image'] } })
  expect(await uploads.verifyUploaded('b', { declaredType: 'image/png' })).toMatchObject({
    type: { mime: 'image/png' },
    disposition: 'inline',
  })
})

test.each([
  ['the caller allows it', { overwrite: true }, true],
  ['the store knows no conditions', {}, false],
])('a link to send may replace an object where %s', async (_, options, conditionalWrites) => {
  const plain = new S3Store({ client: s3.client, bucket: s3.bucket, conditionalWrites })
  const url = await plain.presignPut('b', { contentType: 'image/png', contentLength: 5, ...options })
  expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).not.toContain('if-none-match')
})

test('a form has key, type and size limits in its policy', async () => {
  const { url, fields } = await store.presignPost('c', { contentType: 'image/png', maxBytes: 1000 })
  const policy = JSON.parse(Buffer.from(fields['Policy'] ?? '', 'base64').toString()) as {
    conditions: unknown[]
    expiration: string
  }
  expect(policy.conditions).toEqual(
    expect.arrayContaining([
      ['content-length-range', 1, 1000],
      ['eq', '$Content-Type', 'image/png'],
      ['eq', '$Content-Disposition', 'attachment'],
      { bucket: s3.bucket },
      { key: 'in/c' },
    ]),
  )
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('file', new Blob([png()]), 'a.png')
  expect((await fetch(url, { method: 'POST', body: form })).status).toBeLessThan(300)
  expect(await store.head('c')).toMatchObject({ size: png().length, contentType: 'image/png' })
})

test('an upload that is not what its form said is deleted when it is verified', async () => {
  const url = await store.presignPut('d', { contentType: 'image/png', contentLength: 6 })
  await fetch(url, {
    method: 'PUT',
    body: '<html>',
    headers: { 'content-type': 'image/png', 'content-disposition': 'attachment', 'if-none-match': '*' },
  })
  await expect(createUploader({ store }).verifyUploaded('d', { declaredType: 'image/png' })).rejects.toMatchObject({
    code: 'SNIFF_TYPE_MISMATCH',
  })
  expect(await store.head('d')).toBeUndefined()
})
