import { createUploader, SniffError } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'
import { describeWith } from '@org/services'
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import { png } from './corpus/binary-samples.ts'
import { zip } from './corpus/zip-builder.ts'
import { type TestBucket } from './support/s3-server.ts'
import { noise, storeContract } from './support/store-contract.ts'
import { swiftBucket } from './support/swift-server.ts'

vi.setConfig({ testTimeout: 30_000 })

await describeWith('swift', 'on the S3 interface of OpenStack Swift', () => {
  let s3: TestBucket
  beforeAll(async () => {
    s3 = await swiftBucket()
  }, 180_000)
  afterAll(() => s3[Symbol.asyncDispose]())
  beforeEach(() => s3.empty())

  // This version knows no If-None-Match in the protocol of S3.
  const open = () => new S3Store({ client: s3.client, bucket: s3.bucket, conditionalWrites: false })

  storeContract('S3Store', async () => ({ store: open(), isClean: s3.isClean }))

  test('refuses a signature that is not ours', async () => {
    const url = new URL(await open().presignGet('a'))
    url.searchParams.set('X-Amz-Signature', '0'.repeat(64))
    expect((await fetch(url)).status).toBe(403)
  })

  test('refuses another type or size than a link was signed for', async () => {
    const url = await open().presignPut('b', { contentType: 'image/png', contentLength: png().length })
    const send = async (type: string, body: Uint8Array) =>
      (
        await fetch(url, {
          method: 'PUT',
          body: Buffer.from(body),
          headers: { 'content-type': type, 'content-disposition': 'attachment' },
        })
      ).status
    expect(await send('text/html', png())).toBe(403)
    expect(await send('image/png', noise(png().length + 1))).toBe(403)
    expect(await send('image/png', png())).toBe(200)
  })

  test('has no unfinished upload after any way of failing', async () => {
    const uploads = createUploader({ store: open(), policy: { maxBytes: 7_000_000 } })
    const bytes = png(2, [['noIs', noise(6_000_000)]])
    const codes: string[] = []
    for (const kind of ['breaks', 'aborts', 'too large', 'polyglot']) {
      const controller = new AbortController()
      async function* source(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += 65_536) {
          if (at > 5_500_000 && kind === 'breaks') throw new Error('gone')
          if (at > 5_500_000 && kind === 'aborts') controller.abort()
          yield bytes.subarray(at, at + 65_536)
        }
        if (kind === 'too large') yield noise(2_000_000)
        if (kind === 'polyglot') yield zip([{ name: 'a' }])
      }
      const failure: unknown = await uploads
        .put(source(), { signal: controller.signal })
        .catch((error: unknown) => error)
      codes.push(failure instanceof SniffError ? failure.code : String(failure))
    }
    expect(codes).toEqual(['SNIFF_SOURCE_FAILED', 'SNIFF_ABORTED', 'SNIFF_TOO_LARGE', 'SNIFF_REJECTED'])
    const { Uploads = [] } = await s3.client.send(new ListMultipartUploadsCommand({ Bucket: s3.bucket }))
    expect(Uploads).toEqual([])
    expect(await s3.isClean()).toBe(true)
  })
})
