import { S3Store } from '@org/content-sniff/s3'
import { describeWith } from '@org/services'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { png } from './corpus/binary-samples.ts'
import { faultProxy } from './support/fault-proxy.ts'
import { EVERY_OUTCOME, injectFaults } from './support/s3-faults.ts'
import { type TestBucket } from './support/s3-server.ts'
import { noise, storeContract } from './support/store-contract.ts'
import { swiftBucket, swiftClient } from './support/swift-server.ts'

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

  test('200 faults leave no object and no unfinished upload behind', async () => {
    await using proxy = await faultProxy(s3.endpoint)
    const client = swiftClient(proxy.endpoint)
    const { met, failures } = await injectFaults(
      { server: s3, proxy, client, conditionalWrites: false, listsUploads: true },
      200,
    )
    client.destroy()
    expect(failures).toEqual([])
    expect(met).toEqual(EVERY_OUTCOME)
  }, 300_000)
})
