import type { S3Client } from '@aws-sdk/client-s3'

import { contentDisposition } from '../policy/names.ts'
import { loadClient, loadPresignedPost, loadPresigner } from './s3-sdk.ts'

interface ObjectAddress {
  readonly Bucket: string
  readonly Key: string
}

/** Life of a presigned link where none is given: a quarter of an hour. */
const DEFAULT_LIFE_SECONDS = 900

/** Options of {@link S3Store.presignGet}. */
export interface PresignGetOptions {
  /** Life of the link, in seconds. @default 900 */
  readonly expiresInSeconds?: number
  /** Name under which a browser saves it. */
  readonly filename?: string
  /**
   * Shown in place or saved. No header of ours protects a page that a bucket serves, so anything active stays `attachment`.
   * @default 'attachment'
   */
  readonly disposition?: 'inline' | 'attachment'
  /** Content-Type of the answer. @default the stored one */
  readonly contentType?: string
}

/** Options of {@link S3Store.presignPut}. */
export interface PresignPutOptions {
  /** The one Content-Type that the client must send; part of the signature. */
  readonly contentType: string
  /** Exact size in bytes that the client must send; part of the signature. */
  readonly contentLength: number
  /** Life of the link, in seconds. @default 900 */
  readonly expiresInSeconds?: number
  /**
   * Lets the link replace an object, also one that was verified by then. Without it the client must send
   * `If-None-Match: *`, which is part of the signature; stores with `conditionalWrites` off sign no such thing.
   * @default false
   */
  readonly overwrite?: boolean
}

/** Options of {@link S3Store.presignPost}. */
export interface PresignPostOptions {
  /** The one Content-Type that the form must send. */
  readonly contentType: string
  /** Largest file, in bytes. */
  readonly maxBytes: number
  /** Smallest file, in bytes. @default 1 */
  readonly minBytes?: number
  /** Life of the form, in seconds. @default 900 */
  readonly expiresInSeconds?: number
}

/** What a browser form needs: where to send it, and its fields in front of `file`. */
export interface PresignedPost {
  readonly url: string
  readonly fields: Readonly<Record<string, string>>
}

/** Signs a GET with the headers of its answer. */
export async function presignGet(
  client: S3Client,
  address: ObjectAddress,
  options: PresignGetOptions,
): Promise<string> {
  const [{ GetObjectCommand }, { getSignedUrl }] = await Promise.all([loadClient(), loadPresigner()])
  const command = new GetObjectCommand({
    ...address,
    ResponseContentDisposition: contentDisposition(options.disposition ?? 'attachment', options.filename),
    ...(options.contentType === undefined ? {} : { ResponseContentType: options.contentType }),
  })
  return getSignedUrl(client, command, { expiresIn: options.expiresInSeconds ?? DEFAULT_LIFE_SECONDS })
}

/** Signs a PUT together with its type and length, so that a client can send neither another type nor more, nor twice. */
export async function presignPut(
  client: S3Client,
  address: ObjectAddress,
  options: PresignPutOptions,
  conditional: boolean,
): Promise<string> {
  const once = conditional && options.overwrite !== true
  const [{ PutObjectCommand }, { getSignedUrl }] = await Promise.all([loadClient(), loadPresigner()])
  const command = new PutObjectCommand({
    ...address,
    ContentType: options.contentType,
    ContentLength: options.contentLength,
    ContentDisposition: 'attachment',
    ...(once ? { IfNoneMatch: '*' } : {}),
  })
  const signed = ['content-type', 'content-length', 'content-disposition', ...(once ? ['if-none-match'] : [])]
  return getSignedUrl(client, command, {
    expiresIn: options.expiresInSeconds ?? DEFAULT_LIFE_SECONDS,
    signableHeaders: new Set([...signed, 'host']),
    unhoistableHeaders: new Set(signed),
  })
}

/** Signs a form whose policy holds the exact key, the exact type and a range of sizes. */
export async function presignPost(
  client: S3Client,
  address: ObjectAddress,
  options: PresignPostOptions,
): Promise<PresignedPost> {
  const { createPresignedPost } = await loadPresignedPost()
  const { url, fields } = await createPresignedPost(client, {
    ...address,
    Expires: options.expiresInSeconds ?? DEFAULT_LIFE_SECONDS,
    Fields: { 'Content-Type': options.contentType, 'Content-Disposition': 'attachment' },
    Conditions: [
      ['content-length-range', options.minBytes ?? 1, options.maxBytes],
      ['eq', '$Content-Type', options.contentType],
      ['eq', '$Content-Disposition', 'attachment'],
    ],
  })
  return { url, fields }
}
