import path from 'node:path'

import { DiskStore, type Store } from '@org/content-sniff'

import type { Config } from './config.ts'

/** Where uploads go: a bucket when one is named, else the data folder. Disposing ends the client's connections. */
export async function openFiles(
  config: Pick<Config, 's3' | 'dataDir'>,
): Promise<{ readonly store: Store } & Disposable> {
  const { s3 } = config
  if (s3 === undefined) {
    return { store: new DiskStore({ root: path.join(config.dataDir, 'files') }), [Symbol.dispose]() {} }
  }
  // The SDK is large; whoever keeps files on disk does not wait for it. It finds region and credentials by itself.
  const [{ S3Client }, { S3Store }] = await Promise.all([import('@aws-sdk/client-s3'), import('@org/content-sniff/s3')])
  const client = new S3Client(s3.endpoint === undefined ? {} : { endpoint: s3.endpoint, forcePathStyle: true })
  return {
    store: new S3Store({ client, bucket: s3.bucket, prefix: s3.prefix }),
    [Symbol.dispose]: () => client.destroy(),
  }
}
