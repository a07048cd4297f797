import { randomUUID } from 'node:crypto'

import { createUploader, SniffError, type Store, type Upload, type Uploader } from '@org/content-sniff'

import { imageSizes } from './jobs/definitions.ts'
import { problem, type ProblemSource } from './jsonapi/errors.ts'

/** What a client may send: anything that is not a program, or a picture that can be resized. */
export interface Uploaders {
  readonly files: Uploader
  readonly images: Uploader
}

/** Raster images that the resizer reads. */
const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp']

/** Two policies over one store. */
export function createUploaders(store: Store, maxBytes: number): Uploaders {
  return {
    files: createUploader({ store, newKey, policy: { maxBytes } }),
    images: createUploader({ store, newKey, policy: { maxBytes, allow: IMAGE_TYPES } }),
  }
}

const newKey = (extension: string): string => `${randomUUID()}.${extension}`

const OURS = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\.[a-z\d][a-z\d.-]*$/

/** Tells whether a key is of the kind that is made here; whatever else lies in the store belongs to somebody else. */
export function isOurs(key: string): boolean {
  return OURS.test(key)
}

const SIZED = new RegExp(String.raw`\.(?:${imageSizes.join('|')})\.webp$`)

/** The key of the upload that a file belongs to: its own, or that of the image it is a size of. */
export function originalKey(key: string): string {
  return key.replace(SIZED, '')
}

/** The columns of an upload. */
export function uploadRow(upload: Upload, ownerId: number, purpose: 'file' | 'image'): Record<string, unknown> {
  return {
    owner_id: ownerId,
    key: upload.key,
    url: `/files/${upload.key}`,
    filename: upload.filename ?? upload.key,
    media_type: upload.type.mime,
    size_bytes: upload.size,
    sha256: upload.sha256,
    purpose,
  }
}

/** The file is not what it claims, or nothing that may be stored. */
const REFUSED: ReadonlySet<string> = new Set([
  'SNIFF_EMPTY_INPUT',
  'SNIFF_TYPE_MISMATCH',
  'SNIFF_TYPE_NOT_ALLOWED',
  'SNIFF_TYPE_UNKNOWN',
  'SNIFF_REJECTED',
])

/** The client did not send all of it. */
const INCOMPLETE: ReadonlySet<string> = new Set([
  'SNIFF_TRUNCATED',
  'SNIFF_ABORTED',
  'SNIFF_SOURCE_FAILED',
  'SNIFF_IDLE_SOURCE',
  'SNIFF_SLOW_SOURCE',
])

/** Says in the API's words why a file was refused; anything else stays as it is. */
export function translateRefusal(error: unknown, source?: ProblemSource): unknown {
  if (!(error instanceof SniffError)) return error
  const cause = { cause: error }
  if (error.code === 'SNIFF_TOO_LARGE') return problem('too_large', 'Expected a smaller file', source, cause)
  if (REFUSED.has(error.code)) return problem('rejected_file', error.message, source, cause)
  if (INCOMPLETE.has(error.code)) return problem('invalid_upload', 'Expected the whole file', source, cause)
  return error
}
