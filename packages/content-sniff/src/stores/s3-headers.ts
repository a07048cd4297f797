import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3'

import type { ObjectHeaders, StoredObject } from './store.ts'

/** Metadata key that tells which attempt wrote an object; never shown to callers. */
export const MARK = 'sniff-upload'

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
  'CacheControl' | 'ContentDisposition' | 'ContentLength' | 'ContentType' | 'ETag' | 'LastModified' | 'Metadata'
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
    metadata: Object.fromEntries(Object.entries(output.Metadata ?? {}).filter(([name]) => name !== MARK)),
  }
}

/** What a copy with new headers would lose otherwise. */
export function keptByCopy(
  head: HeadObjectCommandOutput,
): Pick<
  HeadObjectCommandOutput,
  | 'ContentEncoding'
  | 'ContentLanguage'
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
