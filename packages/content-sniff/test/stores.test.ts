import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { DiskStore, MemoryStore } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'
import { afterAll, beforeAll, beforeEach } from 'vitest'

import { fauxBucket, type TestBucket } from './support/s3-server.ts'
import { storeContract } from './support/store-contract.ts'

let folder: string
let s3: TestBucket
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'content-sniff-stores-'))
  s3 = await fauxBucket()
})
afterAll(async () => {
  await s3[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => s3.empty())

storeContract('MemoryStore', async () => {
  const store = new MemoryStore()
  return {
    store,
    isClean: async () => {
      for await (const _ of store.list()) return false
      return true
    },
  }
})

storeContract('DiskStore', async () => {
  count += 1
  const root = path.join(folder, String(count))
  return {
    store: new DiskStore({ root }),
    // Empty folders may stay; a file of any kind may not.
    isClean: async () => {
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
      return entries.every((entry) => entry.isDirectory())
    },
  }
})

storeContract('S3Store', async () => ({
  store: new S3Store({ client: s3.client, bucket: s3.bucket }),
  isClean: s3.isClean,
}))
