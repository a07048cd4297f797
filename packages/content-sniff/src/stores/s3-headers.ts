import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3'

import { RESERVED } from '../policy/metadata.ts'
import type { ObjectHeaders, StoredObject } from './store.ts'

/** Metadata key that tells which attempt wrote an object; never shown to callers. */
export const MARK: string = RESERVED

/** Headers as parameters of a PutObject, CreateMultipartUpload or CopyObject. */
export interface S3Headers {
  readonly ContentType: string
  readonly ContentDisposition?: string
  readonly CacheControl?: string
  readonly Metadata: Record<string, string>
}

/** Our headers in the SDK's words. */
export function toS3(headers: ObjectHeaders): S3Headers {
  return {
    ContentType: headers.contentType,
    ...(headers.contentDisposition === undefined ? {} : { ContentDisposition: headers.contentDisposition }),
    ...(headers.cacheControl === undefined ? {} : { CacheControl: headers.cacheControl }),
    Metadata: { ...headers.metadata },
  }
}

type Described = Pick<
  HeadObjectCommandOutput,
  | 'CacheControl'
  | 'ContentDisposition'
  | 'ContentEncoding'
  | 'ContentLength'
  | 'ContentType'
  | 'ETag'
  | 'LastModified'
  | 'Metadata'
>

/** The SDK's answer in our words. */
export function fromS3(key: string, output: Described): StoredObject {
  return {
    key,
    size: output.ContentLength ?? 0,
    etag: output.ETag ?? '""',
    lastModified: output.LastModified ?? new Date(0),
    contentType: output.ContentType ?? 'application/octet-stream',
    contentDisposition: output.ContentDisposition,
    cacheControl: output.CacheControl,
    contentEncoding: encodingOf(output.ContentEncoding),
    metadata: Object.fromEntries(Object.entries(output.Metadata ?? {}).filter(([name]) => name !== MARK)),
  }
}

/** How stored bytes are encoded; `aws-chunked` speaks of how they came, some stores keep it by mistake. */
function encodingOf(header: string | undefined): string | undefined {
  const encodings = (header ?? '').split(',').map((encoding) => encoding.trim().toLowerCase())
  return encodings.filter((encoding) => !['', 'aws-chunked', 'identity'].includes(encoding)).join(', ') || undefined
}

/** What a copy with new headers would lose otherwise. */
export function keptByCopy(
  head: HeadObjectCommandOutput,
): Pick<
  HeadObjectCommandOutput,
  | 'BucketKeyEnabled'
  | 'ContentEncoding'
  | 'ContentLanguage'
  | 'ObjectLockLegalHoldStatus'
  | 'ObjectLockMode'
  | 'ObjectLockRetainUntilDate'
  | 'SSEKMSKeyId'
  | 'ServerSideEncryption'
  | 'StorageClass'
  | 'WebsiteRedirectLocation'
> & { readonly Expires?: Date } {
  const expires = Date.parse(head.ExpiresString ?? '')
  return {
    ...(head.ContentEncoding === undefined ? {} : { ContentEncoding: head.ContentEncoding }),
    ...(head.ContentLanguage === undefined ? {} : { ContentLanguage: head.ContentLanguage }),
    ...(Number.isNaN(expires) ? {} : { Expires: new Date(expires) }),
    ...(head.StorageClass === undefined ? {} : { StorageClass: head.StorageClass }),
    ...(head.ServerSideEncryption === undefined ? {} : { ServerSideEncryption: head.ServerSideEncryption }),
    ...(head.SSEKMSKeyId === undefined ? {} : { SSEKMSKeyId: head.SSEKMSKeyId }),
    ...(head.BucketKeyEnabled === undefined ? {} : { BucketKeyEnabled: head.BucketKeyEnabled }),
    ...(head.ObjectLockMode === undefined ? {} : { ObjectLockMode: head.ObjectLockMode }),
    ...(head.ObjectLockRetainUntilDate === undefined
      ? {}
      : { ObjectLockRetainUntilDate: head.ObjectLockRetainUntilDate }),
    ...(head.ObjectLockLegalHoldStatus === undefined
      ? {}
      : { ObjectLockLegalHoldStatus: head.ObjectLockLegalHoldStatus }),
    ...(head.WebsiteRedirectLocation === undefined ? {} : { WebsiteRedirectLocation: head.WebsiteRedirectLocation }),
  }
}

/** The SDK's option for a signal. */
export const abortable = (signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } =>
  signal === undefined ? {} : { abortSignal: signal }

/** Size of the whole behind a Content-Range. */
export function sizeOfRange(contentRange: string | undefined): number | undefined {
  const size = /\/(\d+)$/.exec(contentRange ?? '')?.[1]
  return size === undefined ? undefined : Number(size)
}
