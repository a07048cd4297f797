import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'

import type { _Object, S3Client } from '@aws-sdk/client-s3'

import { SniffError } from '../errors.ts'
import { aborted, changed, storeFailed, taken, throwIfAborted } from '../failures.ts'
import { checkKey } from '../policy/keys.ts'
import { collect, replay } from '../source/collect.ts'
import { untilAborted } from '../source/until-aborted.ts'
import {
  presignGet,
  type PresignGetOptions,
  presignPost,
  type PresignedPost,
  type PresignPostOptions,
  presignPut,
  type PresignPutOptions,
} from './s3-presign.ts'
import { abortable, fromS3, keptByCopy, MARK, sizeOfRange, toS3 } from './s3-headers.ts'
import { grantsOf } from './s3-grants.ts'
import { resolveS3Options, type S3StoreOptions } from './s3-options.ts'
import { dropParts, statusOf } from './s3-parts.ts'
import { loadClient, loadUpload } from './s3-sdk.ts'
import type {
  ListedObject,
  ListOptions,
  ObjectHeaders,
  OpenedObject,
  ReadOptions,
  Store,
  StoreCallOptions,
  StoredObject,
  UpdateOptions,
  WriteOptions,
} from './store.ts'

/** S3 takes at most this many parts. */
const MOST_PARTS = 10_000

/** Largest object that one CopyObject moves. */
const LARGEST_COPY_BYTES = 5 * 1024 * 1024 * 1024

/** One call of {@link S3Store.write}. */
interface Attempt {
  readonly key: string
  readonly mark: string
  readonly options: WriteOptions
}

/** What a store said of a finished write. */
interface Written {
  readonly etag: string | undefined
  readonly headers: ObjectHeaders
}

/**
 * Keeps objects in a bucket with their headers, over the S3 protocol.
 *
 * What fits into one part is sent as one object of known length; more goes in parts, which are removed on any failure.
 * Headers that only the end of a longer stream reveals are set by a copy in place afterwards.
 */
export class S3Store implements Store {
  readonly client: S3Client
  readonly bucket: string
  readonly #options: Required<S3StoreOptions>

  constructor(options: S3StoreOptions) {
    this.#options = resolveS3Options(options)
    this.client = options.client
    this.bucket = options.bucket
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return {
      Bucket: this.bucket,
      Key: this.#options.prefix + (this.#options.anyKey && key !== '' ? key : checkKey(key)),
    }
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<StoredObject> {
    throwIfAborted(options.signal)
    if (options.overwrite !== true && (await this.head(key, options)) !== undefined) throw taken(key)
    const iterator = untilAborted(body, options.signal)[Symbol.asyncIterator]()
    // A failing body must reach the caller as it is, not as the SDK's account of it.
    const failure: { error?: unknown } = {}
    let size = 0
    const pull = async (): Promise<IteratorResult<Uint8Array>> => {
      try {
        const next = await iterator.next()
        if (next.done !== true) size += next.value.length
        return next
      } catch (error) {
        failure.error = error
        throw error
      }
    }
    const upload: Attempt = { key, mark: randomUUID(), options }
    try {
      const start = await collect(pull, this.#options.partBytes)
      const { etag, headers } = start.ended
        ? await this.#putWhole(upload, Buffer.concat(start.chunks.takeAll()))
        : await this.#putParts(upload, replay(start.chunks, pull))
      if (etag === undefined) return await this.#settle(upload, undefined)
      return { ...headers, key, size, etag, lastModified: new Date(this.#options.now()) }
    } catch (error) {
      if ('error' in failure) throw failure.error
      return await this.#settle(upload, error)
    } finally {
      // A source that hangs in a read never answers, so nobody waits for it.
      void iterator.return?.().catch(() => undefined)
    }
  }

  /**
   * Finds out what became of a write whose answer got lost: the object that carries its mark is the one it wrote. A
   * repeated request is then no failure, although the store refused it as a second one.
   */
  async #settle(upload: Attempt, cause: unknown): Promise<StoredObject> {
    const { key } = upload
    const { HeadObjectCommand } = await loadClient()
    try {
      const found = await this.client.send(new HeadObjectCommand(this.#at(key)))
      if (found.Metadata?.[MARK] === upload.mark) return fromS3(key, found)
    } catch (error) {
      if (statusOf(error) !== 404) throw this.#explain(cause ?? error, key, 'store an object', undefined)
    }
    throw this.#explain(cause, key, 'store an object', undefined)
  }

  async #putWhole(upload: Attempt, bytes: Uint8Array): Promise<Written> {
    const { PutObjectCommand } = await loadClient()
    const headers = upload.options.headers()
    // Not tied to the signal: a request that was let go of may still be carried out, and leave an object behind.
    const { ETag } = await this.client.send(
      new PutObjectCommand({ ...this.#params(upload, headers), Body: bytes, ContentLength: bytes.length }),
    )
    return { etag: ETag, headers }
  }

  async #putParts(upload: Attempt, body: AsyncIterable<Uint8Array>): Promise<Written> {
    const { Upload } = await loadUpload()
    const headers = upload.options.headers()
    const needed = Math.ceil((upload.options.size ?? 0) / (MOST_PARTS - 1))
    const parts = new Upload({
      client: this.client,
      params: { ...this.#params(upload, headers), Body: Readable.from(body, { objectMode: false }) },
      partSize: Math.max(this.#options.partBytes, needed),
      queueSize: this.#options.queueSize,
      leavePartsOnError: false,
    })
    try {
      const { ETag } = await parts.done()
      return { etag: ETag, headers }
    } catch (error) {
      // The SDK removes parts by itself, but not after every failure; doing it twice does no harm.
      await dropParts(this.client, this.#at(upload.key), parts.uploadId, upload.options.overwrite !== true)
      throw error
    }
  }

  #params(upload: Attempt, headers: ObjectHeaders) {
    return {
      ...this.#at(upload.key),
      ...toS3({ ...headers, metadata: { ...headers.metadata, [MARK]: upload.mark } }),
      ...(this.#options.conditionalWrites && upload.options.overwrite !== true ? { IfNoneMatch: '*' } : {}),
    }
  }

  async head(key: string, options: StoreCallOptions = {}): Promise<StoredObject | undefined> {
    const { HeadObjectCommand } = await loadClient()
    try {
      return fromS3(key, await this.client.send(new HeadObjectCommand(this.#at(key)), abortable(options.signal)))
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw this.#explain(error, key, 'describe an object', options.signal)
    }
  }

  async read(key: string, options: ReadOptions = {}): Promise<OpenedObject | undefined> {
    const { GetObjectCommand } = await loadClient()
    const { range } = options
    try {
      const output = await this.client.send(
        new GetObjectCommand({
          ...this.#at(key),
          ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` }),
        }),
        abortable(options.signal),
      )
      const size = sizeOfRange(output.ContentRange) ?? output.ContentLength ?? 0
      if (output.Body === undefined) return undefined
      return {
        object: { ...fromS3(key, output), size },
        body: output.Body.transformToWebStream() as ReadableStream<Uint8Array>,
      }
    } catch (error) {
      if (statusOf(error) === 404) return undefined
      throw this.#explain(error, key, 'read an object', options.signal)
    }
  }

  /**
   * Copies the object onto itself with other headers. Storage class, encryption, locks, tags and, as far as the caller
   * may read them, access lists stay as they are; the time of the last change does not.
   */
  async updateHeaders(key: string, headers: ObjectHeaders, options: UpdateOptions = {}): Promise<StoredObject> {
    const { CopyObjectCommand, HeadObjectCommand } = await loadClient()
    const at = this.#at(key)
    try {
      const before = await this.client.send(new HeadObjectCommand(at), abortable(options.signal))
      if (options.etag !== undefined && before.ETag !== options.etag) throw changed(key)
      if ((before.ContentLength ?? 0) > LARGEST_COPY_BYTES) {
        throw storeFailed('change headers in place, which S3 does up to 5 GiB', undefined)
      }
      const { CopyObjectResult: copied } = await this.client.send(
        new CopyObjectCommand({
          ...at,
          ...keptByCopy(before),
          ...(await grantsOf(this.client, at, abortable(options.signal))),
          ...toS3(headers),
          CopySource: [this.bucket, ...at.Key.split('/')].map(encodeURIComponent).join('/'),
          CopySourceIfMatch: before.ETag,
          MetadataDirective: 'REPLACE',
          TaggingDirective: 'COPY',
        }),
        abortable(options.signal),
      )
      return { ...fromS3(key, { ...before, ...copied }), ...headers }
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 412) throw changed(key, error)
      throw this.#explain(error, key, 'change headers', options.signal)
    }
  }

  async delete(key: string, options: StoreCallOptions = {}): Promise<void> {
    const { DeleteObjectCommand } = await loadClient()
    try {
      await this.client.send(new DeleteObjectCommand(this.#at(key)), abortable(options.signal))
    } catch (error) {
      if (statusOf(error) !== 404) throw this.#explain(error, key, 'delete an object', options.signal)
    }
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListedObject> {
    const { ListObjectsV2Command } = await loadClient()
    let token: string | undefined
    do {
      let page: { readonly Contents?: _Object[] | undefined; readonly NextContinuationToken?: string | undefined }
      try {
        page = await this.client.send(
          new ListObjectsV2Command({
            Bucket: this.bucket,
            Prefix: this.#options.prefix + (options.prefix ?? ''),
            ...(options.after === undefined ? {} : { StartAfter: this.#options.prefix + options.after }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          abortable(options.signal),
        )
      } catch (error) {
        throw this.#explain(error, '', 'list objects', options.signal)
      }
      for (const { Key, Size } of page.Contents ?? []) {
        const key = Key?.slice(this.#options.prefix.length) ?? ''
        // Folder markers of other tools are no files.
        if (key !== '' && !key.endsWith('/')) yield { key, size: Size ?? 0 }
      }
      token = page.NextContinuationToken
    } while (token !== undefined)
  }

  /** A link that lets anyone read one object for a while, as a download unless asked otherwise. */
  presignGet(key: string, options: PresignGetOptions = {}): Promise<string> {
    return presignGet(this.client, this.#at(key), options)
  }

  /**
   * A link that lets a client send one object of exactly one type, once; check it with `verifyUploaded` afterwards. The
   * client must send what is signed: `Content-Type`, `Content-Disposition: attachment` and `If-None-Match: *`.
   */
  presignPut(key: string, options: PresignPutOptions): Promise<string> {
    return presignPut(this.client, this.#at(key), options, this.#options.conditionalWrites)
  }

  /**
   * A form that lets a browser send one object of one type within limits of size; check it with `verifyUploaded`. Until it
   * expires it can be sent again, also after the check, so sign a short life.
   */
  presignPost(key: string, options: PresignPostOptions): Promise<PresignedPost> {
    return presignPost(this.client, this.#at(key), options)
  }

  #explain(error: unknown, key: string, doing: string, signal: AbortSignal | undefined): SniffError {
    if (error instanceof SniffError) return error
    if (signal?.aborted === true) return aborted(signal.reason)
    const status = statusOf(error)
    if (status === 412 || status === 409) return taken(key, error)
    return storeFailed(doing, error)
  }
}
