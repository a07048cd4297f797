import { createHash, randomUUID } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

import { SniffError, type SniffErrorCode } from './errors.ts'
import { changed } from './failures.ts'
import { identify } from './identify.ts'
import type { DeepDetector } from './options.ts'
import { resolveSniffOptions } from './options.ts'
import { isActive } from './types/active.ts'
import { checkKey } from './policy/keys.ts'
import { encodeMetadata } from './policy/metadata.ts'
import { cleanFilename } from './policy/names.ts'
import { resolvePolicy, type UploadPolicy } from './policy/policy.ts'
import { cacheControl, contentType, type ServingHeaders, servingHeaders } from './policy/serving-headers.ts'
import { type Claim, judge, type Verdict, type Violation } from './policy/verdict.ts'
import { serve, type ServeOptions } from './serve/serve.ts'
import { guard } from './source/guard.ts'
import { openBody } from './source/open-body.ts'
import type { ByteStream } from './source/open.ts'
import { storedSource } from './source/stored.ts'
import type { ObjectHeaders, Store, StoredObject } from './stores/store.ts'
import type { SniffResult } from './types/result.ts'
import { canonicalType } from './types/table.ts'

/** Options of {@link createUploader}. */
export interface UploaderOptions {
  readonly store: Store
  readonly policy?: UploadPolicy
  /**
   * Digest over every byte, taken while they pass.
   * @default 'sha256'
   */
  readonly digest?: 'sha256' | 'none'
  /** Bytes looked at from the start. @default 65_536 */
  readonly headBytes?: number
  /** Second opinion on unknown binary data, see {@link SniffOptions.deep}. */
  readonly deep?: DeepDetector
  /** Names objects whose caller gives no key; extension without dot. @default a random UUID and the extension */
  readonly newKey?: (extension: string) => string
  /** Monotonic clock for rate limits, in milliseconds. @default performance.now */
  readonly now?: () => number
}

/** Options of {@link Uploader.put}. */
export interface PutOptions {
  /** Name that the client gave; cleaned before use, never a path. */
  readonly filename?: string | undefined
  /** Content-Type that the client claims. */
  readonly declaredType?: string | undefined
  /** Size in bytes that the client claims, as in Content-Length; more and less are errors. */
  readonly declaredSize?: number | undefined
  /** Where to store it. @default a generated key */
  readonly key?: string | undefined
  /** Replaces an object of that key. @default false */
  readonly overwrite?: boolean
  /** Small facts to keep with the object; other text than ASCII is encoded. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Options of {@link Uploader.verifyUploaded}. */
export type VerifyOptions = Pick<PutOptions, 'declaredType' | 'filename' | 'signal'>

/**
 * What can be uploaded: bytes, a Blob or File, an open file, or a stream, whose chunks must not be written to again once
 * they were handed over. Paths are not taken, they may come from a client.
 */
export type UploadSource = Uint8Array | ArrayBuffer | Blob | FileHandle | ByteStream

/** A finished upload. */
export interface Upload {
  readonly key: string
  /** Size in bytes. */
  readonly size: number
  /** Lower-case hexadecimal, `undefined` with `digest: 'none'`. */
  readonly sha256: string | undefined
  readonly etag: string
  /** Cleaned name, `undefined` when none was given. */
  readonly filename: string | undefined
  /** What the bytes are: type, family, flags. */
  readonly type: SniffResult
  /** Canonical form of the claimed type. */
  readonly declaredType: string | undefined
  readonly disposition: 'inline' | 'attachment'
  /** Rules that were broken and that the mode let pass. */
  readonly violations: readonly Violation[]
  /** The headers to serve it with. */
  readonly headers: ServingHeaders
}

/** Sniffs, judges and stores uploads. Safe to share between requests. */
export interface Uploader {
  readonly store: Store
  /**
   * Stores a file under its true type, or nothing at all.
   *
   * @throws {@link SniffError} `SNIFF_EMPTY_INPUT`, `SNIFF_TYPE_MISMATCH`, `SNIFF_TYPE_NOT_ALLOWED`,
   *   `SNIFF_TYPE_UNKNOWN`, `SNIFF_REJECTED` by the policy; `SNIFF_TOO_LARGE`, `SNIFF_TRUNCATED`, `SNIFF_IDLE_SOURCE`,
   *   `SNIFF_SLOW_SOURCE` by its limits; `SNIFF_SOURCE_FAILED`, `SNIFF_ABORTED`, `SNIFF_EXISTS`, `SNIFF_BAD_KEY`,
   *   `SNIFF_BAD_METADATA`, `SNIFF_STORE_FAILED`.
   */
  readonly put: (source: UploadSource, options?: PutOptions) => Promise<Upload>
  /**
   * Checks an object that a client sent to the bucket directly, by presigned link or form.
   *
   * Reads head, tail and directories by ranges, judges them by the policy, and gives the object its true headers. An
   * object that breaks the policy is deleted. No digest: the bytes did not pass here.
   *
   * @throws {@link SniffError} The policy's codes as for {@link Uploader.put}, `SNIFF_TOO_LARGE`, `SNIFF_NOT_FOUND` when
   *   there is no such object or it was replaced meanwhile, `SNIFF_STORE_FAILED`.
   */
  readonly verifyUploaded: (key: string, options?: VerifyOptions) => Promise<Upload>
  /** Answers a GET or HEAD request for a stored object; see {@link serve}. */
  readonly serve: (key: string, request: Request, options?: ServeOptions) => Promise<Response>
  /** Removes an object; a key that names none is no error. */
  readonly delete: (key: string) => Promise<void>
}

/**
 * Makes an uploader over a store.
 *
 * @throws RangeError when the policy holds an impossible value.
 * @example
 * const uploads = createUploader({ store: new DiskStore({ root: 'var/uploads' }), policy: { allow: ['image', 'application/pdf'] } })
 * const { key } = await uploads.put(request.body, { filename: 'cat.png', declaredType: 'image/png' })
 */
export function createUploader(options: UploaderOptions): Uploader {
  const { store } = options
  const policy = resolvePolicy(options.policy ?? {})
  const sniffing = resolveSniffOptions({
    ...(options.headBytes === undefined ? {} : { headBytes: options.headBytes }),
    ...(options.deep === undefined ? {} : { deep: options.deep }),
  })
  const newKey = options.newKey ?? ((extension) => `${randomUUID()}.${extension}`)
  const now = options.now ?? (() => performance.now())
  const digesting = (options.digest ?? 'sha256') === 'sha256'

  async function put(source: UploadSource, put: PutOptions = {}): Promise<Upload> {
    if (put.key !== undefined) checkKey(put.key)
    const metadata = encodeMetadata(put.metadata ?? {})
    const filename = put.filename === undefined ? undefined : cleanFilename(put.filename)
    const claim: Claim = { filename, declaredType: put.declaredType }
    checkDeclaredSize(put.declaredSize, policy.maxBytes)

    const guarded = (stream: ByteStream): AsyncIterableIterator<Uint8Array> =>
      guard(stream, { ...policy, signal: put.signal, now })
    const opened = await openBody(source, guarded, { ...sniffing, filename })
    try {
      let type = opened.result
      let verdict: Verdict = judge(type, claim, policy)
      const key = put.key ?? checkKey(newKey(type.extension))
      const describe = (): ObjectHeaders => describeObject(type, verdict, filename, put, metadata)

      const hash = digesting ? createHash('sha256') : undefined
      async function* passing(): AsyncGenerator<Uint8Array, void, undefined> {
        let size = 0
        for await (const chunk of opened.body) {
          size += chunk.length
          refuseExcess(size, put.declaredSize ?? opened.size)
          hash?.update(chunk)
          yield chunk
        }
        const expected = put.declaredSize ?? opened.size
        if (expected !== undefined && size < expected) {
          throw new SniffError('SNIFF_TRUNCATED', `Expected ${expected} bytes, the source ended after ${size}`)
        }
        // The last word comes before the store learns of the end: an archive behind a picture is refused here.
        type = await opened.complete
        verdict = judge(type, claim, policy)
      }

      let stored = await store.write(key, passing(), {
        headers: describe,
        size: opened.size ?? put.declaredSize,
        overwrite: put.overwrite ?? false,
        signal: put.signal,
      })
      const final = describe()
      if (stored.contentType !== final.contentType || stored.contentDisposition !== final.contentDisposition) {
        stored = await store.updateHeaders(key, final).catch(async (error: unknown) => {
          // A refused correction must not leave bytes under a type that turned out to be wrong.
          await store.delete(key).catch(() => undefined)
          throw error
        })
      }
      return summary(stored, type, verdict, { ...claim, immutable: put.key === undefined, sha256: hash?.digest('hex') })
    } finally {
      await opened.close()
    }
  }

  async function verifyUploaded(key: string, verify: VerifyOptions = {}): Promise<Upload> {
    const { signal } = verify
    const object = await store.head(checkKey(key), { signal })
    if (object === undefined) throw changed(key)
    const filename = verify.filename === undefined ? undefined : cleanFilename(verify.filename)
    try {
      if (object.size > policy.maxBytes) {
        throw new SniffError(
          'SNIFF_TOO_LARGE',
          `Expected at most ${policy.maxBytes} bytes, the object has ${object.size}`,
        )
      }
      if (object.contentEncoding !== undefined) {
        // Whatever these bytes are, a browser would see others.
        throw new SniffError(
          'SNIFF_REJECTED',
          `Expected the file itself, it came with Content-Encoding ${JSON.stringify(object.contentEncoding)}`,
        )
      }
      const source = await storedSource(store, object, sniffing.headBytes, signal)
      const type = await identify(source, { ...sniffing, filename })
      const verdict = judge(type, { filename, declaredType: verify.declaredType }, policy)
      const headers = describeObject(type, verdict, filename, { key }, object.metadata)
      const stored = await store.updateHeaders(key, headers, { etag: object.etag, signal })
      return summary(stored, type, verdict, {
        filename,
        declaredType: verify.declaredType,
        immutable: false,
        sha256: undefined,
      })
    } catch (error) {
      if (error instanceof SniffError && POLICY_CODES.has(error.code)) await store.delete(key)
      throw error
    }
  }

  return {
    store,
    put,
    verifyUploaded,
    serve: (key, request, serveOptions) => serve(store, key, request, { inline: policy.inline, ...serveOptions }),
    delete: async (key) => store.delete(checkKey(key)),
  }
}

/** Refusals after which an object that is already there must go. */
const POLICY_CODES: ReadonlySet<SniffErrorCode> = new Set<SniffErrorCode>([
  'SNIFF_EMPTY_INPUT',
  'SNIFF_REJECTED',
  'SNIFF_TOO_LARGE',
  'SNIFF_TYPE_MISMATCH',
  'SNIFF_TYPE_NOT_ALLOWED',
  'SNIFF_TYPE_UNKNOWN',
])

function summary(
  stored: StoredObject,
  type: SniffResult,
  verdict: Verdict,
  facts: Claim & { readonly immutable: boolean; readonly sha256: string | undefined },
): Upload {
  const { filename, declaredType, immutable, sha256 } = facts
  const { disposition, violations } = verdict
  return {
    key: stored.key,
    size: stored.size,
    sha256,
    etag: stored.etag,
    filename,
    type,
    declaredType: declaredType === undefined ? undefined : canonicalType(declaredType),
    disposition,
    violations,
    headers: servingHeaders({ ...type, filename, disposition, immutable }),
  }
}

function describeObject(
  type: SniffResult,
  verdict: Verdict,
  filename: string | undefined,
  put: PutOptions,
  metadata: Readonly<Record<string, string>>,
): ObjectHeaders {
  const headers = servingHeaders({ ...type, filename, disposition: verdict.disposition })
  return {
    contentType: contentType(type.mime, type.charset),
    contentDisposition: headers['content-disposition'],
    cacheControl: cacheControl(type.mime, put.key === undefined && !isActive(type.mime)),
    metadata,
  }
}

function checkDeclaredSize(declared: number | undefined, maxBytes: number): void {
  if (declared === undefined) return
  if (!Number.isSafeInteger(declared) || declared < 0) {
    throw new RangeError(`Expected \`declaredSize\` to be a whole number of bytes, got \`${declared}\``)
  }
  if (declared > maxBytes) {
    throw new SniffError('SNIFF_TOO_LARGE', `Expected at most ${maxBytes} bytes, ${declared} are announced`)
  }
}

function refuseExcess(size: number, declared: number | undefined): void {
  if (declared !== undefined && size > declared) {
    throw new SniffError('SNIFF_TOO_LARGE', `Expected ${declared} bytes as announced, the source has more`)
  }
}
