import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { startFauxqs } from 'fauxqs'

/** A bucket on a server that speaks the S3 protocol over HTTP. */
export interface TestBucket extends AsyncDisposable {
  readonly client: S3Client
  readonly bucket: string
  readonly endpoint: string
  /** True when neither an object nor a part of an unfinished upload is left: only then can a bucket be removed. */
  readonly isClean: () => Promise<boolean>
  /** Removes all objects. */
  readonly empty: () => Promise<void>
}

/** A client for a test server; retries are quick. */
export function clientFor(endpoint: string, settings: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
    maxAttempts: 3,
    retryStrategy: {
      mode: 'standard',
      acquireInitialRetryToken,
      refreshRetryTokenForRetry,
      recordSuccess: () => undefined,
    },
    ...settings,
  })
}

let bucketCount = 0

/** A fresh bucket on a server of its own. */
export async function fauxBucket(): Promise<TestBucket> {
  const server = await startFauxqs({ port: 0, logger: false })
  const endpoint = `http://127.0.0.1:${server.port}`
  const client = clientFor(endpoint)
  bucketCount += 1
  const bucket = `uploads-${bucketCount}`
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return {
    client,
    bucket,
    endpoint,
    isClean: () => isClean(client, bucket),
    empty: () => emptyBucket(client, bucket),
    [Symbol.asyncDispose]: async () => {
      client.destroy()
      await server.stop()
    },
  }
}

/** Removes the bucket and makes it again; a store refuses that while anything is in it. */
export async function isClean(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new DeleteBucketCommand({ Bucket: bucket }))
  } catch {
    return false
  }
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return true
}

/** Removes all objects of a bucket. */
export async function emptyBucket(client: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    if (Contents.length === 0) return
    // One by one: older servers want a digest with DeleteObjects that the SDK no longer sends.
    await Promise.all(Contents.map(({ Key }) => client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))))
  }
}

interface Token {
  readonly count: number
}

const token = (count: number) => ({ getRetryCount: () => count, getRetryDelay: () => 1, getRetryCost: () => 0, count })

function acquireInitialRetryToken() {
  return Promise.resolve(token(0))
}

function refreshRetryTokenForRetry(before: { getRetryCount: () => number } & Partial<Token>) {
  if (before.getRetryCount() >= 2) return Promise.reject(new Error('no attempts left'))
  return Promise.resolve(token(before.getRetryCount() + 1))
}
