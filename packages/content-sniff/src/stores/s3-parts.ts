import type { S3Client } from '@aws-sdk/client-s3'

import { loadClient } from './s3-sdk.ts'

/** Tries to reach a store that just failed, before parts are left to the bucket's lifecycle rule. */
const ATTEMPTS = 3

/**
 * Removes what an unfinished upload left, as far as the store still answers.
 *
 * @param own - True when nobody else writes this key, so that uploads of lost answers may be removed as well.
 */
export async function dropParts(
  client: S3Client,
  at: { readonly Bucket: string; readonly Key: string },
  uploadId: string | undefined,
  own: boolean,
): Promise<void> {
  const { AbortMultipartUploadCommand, ListMultipartUploadsCommand } = await loadClient()
  const ids = new Set(uploadId === undefined ? [] : [uploadId])
  if (own) {
    // An upload whose first answer got lost has no name here; stores without this call have to expire it.
    const listed = await client
      .send(new ListMultipartUploadsCommand({ Bucket: at.Bucket, Prefix: at.Key }))
      .catch(() => undefined)
    for (const upload of listed?.Uploads ?? [])
      if (upload.Key === at.Key && upload.UploadId !== undefined) ids.add(upload.UploadId)
  }
  for (const id of ids) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      try {
        await client.send(new AbortMultipartUploadCommand({ ...at, UploadId: id }))
        break
      } catch (error) {
        if (statusOf(error) === 404) break
      }
    }
  }
}

/** HTTP status behind an error of the SDK. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } }
  return $metadata?.httpStatusCode
}
