import type { S3StoreOptions } from '../stores/s3-options.ts'
import { DiskStore } from '../stores/disk.ts'
import type { Store } from '../stores/store.ts'
import { UsageError } from './io.ts'

/** Options that say how to reach a bucket; credentials and region come from the SDK's own chain. */
export interface TargetOptions {
  readonly endpoint?: string | undefined
  readonly 'path-style'?: boolean | undefined
}

/** A place that a command works on. */
export interface Target extends AsyncDisposable {
  readonly store: Store
  /** Keys that the command is about. */
  readonly prefix: string
}

/** Opens `s3://bucket/prefix` or a folder. */
export async function openTarget(
  target: string,
  options: TargetOptions,
  keys: Pick<S3StoreOptions, 'anyKey'> = {},
): Promise<Target> {
  const s3 = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(target)
  if (s3 === null) {
    if (/^[a-z0-9]+:\/\//i.test(target)) throw new UsageError(`Expected s3://bucket/prefix or a folder, got ${target}`)
    return { store: new DiskStore({ root: target }), prefix: '', [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const [, bucket = '', prefix = ''] = s3
  const [{ S3Client }, { S3Store }] = await Promise.all([loadSdk(), import('../stores/s3.ts')])
  const client = new S3Client({
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options['path-style'] === true ? { forcePathStyle: true } : {}),
  })
  const settings: S3StoreOptions = { client, bucket, ...keys }
  return {
    store: new S3Store(settings),
    prefix,
    [Symbol.asyncDispose]: () => {
      client.destroy()
      return Promise.resolve()
    },
  }
}

async function loadSdk() {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (cause) {
    throw new UsageError(
      'Expected @aws-sdk/client-s3 to be installed beside this package: npm install @aws-sdk/client-s3 @aws-sdk/lib-storage',
      { cause },
    )
  }
}
