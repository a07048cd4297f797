import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { S3Store } from '@org/content-sniff/s3'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { clientFor } from './support/s3-server.ts'

/** Facts of an object that a copy loses unless it names them. */
const KEPT = {
  'content-language': 'de',
  expires: 'Wed, 21 Oct 2026 07:28:00 GMT',
  'x-amz-object-lock-legal-hold': 'ON',
  'x-amz-object-lock-mode': 'GOVERNANCE',
  'x-amz-object-lock-retain-until-date': '2030-01-02T03:04:05Z',
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
  'x-amz-server-side-encryption-bucket-key-enabled': 'true',
  'x-amz-storage-class': 'STANDARD_IA',
  'x-amz-website-redirect-location': '/elsewhere',
}

const HEADERS = {
  contentType: 'image/png',
  contentDisposition: 'inline',
  cacheControl: 'no-store',
  metadata: { a: 'b' },
}

const grant = (grantee: string, permission: string): string =>
  `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${grantee}</Grantee><Permission>${permission}</Permission></Grant>`
const acl = (...grants: string[]): string =>
  `<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList>${grant('<ID>me</ID>', 'FULL_CONTROL')}${grants.join('')}</AccessControlList></AccessControlPolicy>`

/** A store that answers from a script and notes what it was sent: no free server knows locks, keys and lists. */
let answerAcl: { status: number; body: string }
let copies: Record<string, unknown>[]
const server = createServer((request, response) => {
  request.resume()
  response.setHeader('content-type', 'application/xml')
  if (request.method === 'HEAD') {
    response
      .writeHead(200, { ...KEPT, 'content-type': 'application/octet-stream', 'content-length': 5, etag: '"e"' })
      .end()
  } else if (request.method === 'GET') {
    response.writeHead(answerAcl.status).end(answerAcl.body)
  } else {
    copies.push({ ...request.headers })
    response.end('<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>')
  }
})

let store: S3Store
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = clientFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  store = new S3Store({ client, bucket: 'b' })
})
afterAll(() => {
  store.client.destroy()
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  answerAcl = { status: 200, body: acl() }
  copies = []
})

test('changing headers keeps storage class, encryption, locks, language, expiry and redirect', async () => {
  await store.updateHeaders('k', HEADERS)
  expect(copies).toEqual([
    expect.objectContaining({
      ...KEPT,
      'content-type': 'image/png',
      'x-amz-copy-source': 'b/k',
      'x-amz-copy-source-if-match': '"e"',
      'x-amz-metadata-directive': 'REPLACE',
      'x-amz-tagging-directive': 'COPY',
    }),
  ])
  // A bucket that knows no lists refuses a copy that names any.
  expect(Object.keys(copies[0] ?? {}).filter((name) => name.startsWith('x-amz-grant'))).toEqual([])
})

test('changing headers keeps who may read', async () => {
  const everyone = '<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>'
  answerAcl.body = acl(grant(everyone, 'READ'), grant('<ID>other</ID>', 'READ'), grant('<ID>other</ID>', 'READ_ACP'))
  await store.updateHeaders('k', HEADERS)
  expect(copies[0]).toMatchObject({
    'x-amz-grant-full-control': 'id="me"',
    'x-amz-grant-read': 'uri="http://acs.amazonaws.com/groups/global/AllUsers", id="other"',
    'x-amz-grant-read-acp': 'id="other"',
  })
})

test.each([403, 405, 501])('a store that answers %i about access lists has none to keep', async (status) => {
  answerAcl = { status, body: '<Error><Code>Nope</Code></Error>' }
  await store.updateHeaders('k', HEADERS)
  expect(copies).toHaveLength(1)
})

test('an outage while access lists are read changes nothing', async () => {
  answerAcl = { status: 503, body: '<Error><Code>SlowDown</Code></Error>' }
  await expect(store.updateHeaders('k', HEADERS)).rejects.toMatchObject({ code: 'SNIFF_STORE_FAILED' })
  expect(copies).toEqual([])
})
