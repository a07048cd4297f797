import type { S3Client } from '@aws-sdk/client-s3'

/** Smallest part that S3 takes, but for the last one. */
const MIN_PART_BYTES = 5 * 1024 * 1024

/** Options of {@link S3Store}. */
export interface S3StoreOptions {
  /** Client of `@aws-sdk/client-s3`; its retries, time limits and checksums apply. Not closed by the store. */
  readonly client: S3Client
  readonly bucket: string
  /** Put in front of every key, for instance `uploads/`. @default '' */
  readonly prefix?: string
  /**
   * Size of a part, in bytes. Minimum 5 MiB. Memory of an upload is bounded by `partBytes × (queueSize + 1)`.
   * @default 5_242_880
   */
  readonly partBytes?: number
  /** Parts under way at once. @default 4 */
  readonly queueSize?: number
  /**
   * Asks the store to refuse a key that is taken (`If-None-Match: *`). Off for stores that answer 501 to it; a taken
   * key is then found by a look before the upload only.
   * @default true
   */
  readonly conditionalWrites?: boolean
  /**
   * Takes keys as they are: for {@link fixTypes} over a bucket that others fill, where `2020:01:01.jpg` and `.cache/a` are
   * names. Never with keys that clients choose.
   * @default false
   */
  readonly anyKey?: boolean
  /** Clock for the time of a write, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

/** Checks options and fills in defaults. */
export function resolveS3Options(options: S3StoreOptions): Required<S3StoreOptions> {
  const partBytes = options.partBytes ?? MIN_PART_BYTES
  const queueSize = options.queueSize ?? 4
  if (!Number.isInteger(partBytes) || partBytes < MIN_PART_BYTES) {
    throw new RangeError(`Expected \`partBytes\` to be at least ${MIN_PART_BYTES}, got \`${partBytes}\``)
  }
  if (!Number.isInteger(queueSize) || queueSize < 1) {
    throw new RangeError(`Expected \`queueSize\` to be at least 1, got \`${queueSize}\``)
  }
  if (typeof options.bucket !== 'string' || options.bucket === '') throw new TypeError('Expected `bucket` to be a name')
  return {
    client: options.client,
    bucket: options.bucket,
    prefix: options.prefix ?? '',
    partBytes,
    queueSize,
    conditionalWrites: options.conditionalWrites ?? true,
    anyKey: options.anyKey ?? false,
    now: options.now ?? Date.now,
  }
}
