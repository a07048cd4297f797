import { SniffError } from './errors.ts'
import { identify } from './identify.ts'
import { resolveSniffOptions } from './options.ts'
import { contentDisposition } from './policy/names.ts'
import { contentType } from './policy/serving-headers.ts'
import { storedSource } from './source/stored.ts'
import type { ObjectHeaders, Store, StoredObject } from './stores/store.ts'
import { isActive } from './types/active.ts'
import type { SniffResult } from './types/result.ts'
import { canonicalType } from './types/table.ts'

/** Options of {@link fixTypes}. */
export interface FixOptions {
  /** Only keys that start so. */
  readonly prefix?: string
  /** Only keys after this one: where an interrupted run goes on. */
  readonly after?: string
  /** Changes headers; without it, tells what it would change. @default false */
  readonly apply?: boolean
  /** Objects under way at once. @default 8 */
  readonly concurrency?: number
  readonly signal?: AbortSignal
}

/** What became of one object. */
export interface FixEvent {
  readonly key: string
  /**
   * - `changed`: has its true type now. `would-change`: the same in a dry run.
   * - `kept`: has a type already. `unknown`: its bytes tell nothing, or are compressed as its `Content-Encoding` says, so it
   *   stays as it is.
   * - `failed`: `error` says why; a later run tries it again.
   */
  readonly outcome: 'changed' | 'would-change' | 'kept' | 'unknown' | 'failed'
  readonly before?: string
  readonly after?: string
  readonly error?: SniffError
}

/** Types under which uploads end that nobody looked at. */
const UNLOOKED = new Set(['application/octet-stream', ''])

/**
 * Finds objects that were stored as `application/octet-stream` and gives them their true type in place.
 *
 * Reads head, tail and directories by ranges. Bytes, key, cache headers, metadata and file name stay; only a type that
 * browsers run gets `attachment` where no disposition is set. Events come in order of keys, so the last one seen is
 * where an interrupted run goes on. Safe to repeat: what has a type is left alone.
 *
 * @throws {@link SniffError} `SNIFF_STORE_FAILED` when the listing fails; trouble with single objects is an event.
 */
export async function* fixTypes(store: Store, options: FixOptions = {}): AsyncGenerator<FixEvent, void, undefined> {
  const concurrency = options.concurrency ?? 8
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new RangeError(`Expected \`concurrency\` to be at least 1, got \`${concurrency}\``)
  }
  const underWay: Promise<FixEvent>[] = []
  const { prefix, after, signal } = options
  for await (const { key } of store.list({ prefix, after, signal })) {
    underWay.push(fixOne(store, key, options))
    const first = underWay.length >= concurrency ? underWay.shift() : undefined
    if (first !== undefined) yield await first
    if (signal?.aborted === true) break
  }
  for (const event of underWay) yield await event
}

async function fixOne(store: Store, key: string, options: FixOptions): Promise<FixEvent> {
  try {
    const object = await store.head(key, { signal: options.signal })
    if (object === undefined) return { key, outcome: 'kept' }
    const before = object.contentType
    if (!UNLOOKED.has(canonicalType(before))) return { key, outcome: 'kept', before }
    if (object.contentEncoding !== undefined) return { key, outcome: 'unknown', before }
    const sniffing = resolveSniffOptions({ filename: key.slice(key.lastIndexOf('/') + 1) })
    const result = await identify(await storedSource(store, object, sniffing.headBytes, options.signal), sniffing)
    if (result.family === 'unknown') return { key, outcome: 'unknown', before }
    const headers = correctedHeaders(object, result)
    if (options.apply === true) await store.updateHeaders(key, headers, { etag: object.etag, signal: options.signal })
    return { key, outcome: options.apply === true ? 'changed' : 'would-change', before, after: headers.contentType }
  } catch (error) {
    const reason =
      error instanceof SniffError
        ? error
        : new SniffError('SNIFF_STORE_FAILED', 'Expected the store to answer', { cause: error })
    return { key, outcome: 'failed', error: reason }
  }
}

function correctedHeaders(object: StoredObject, result: SniffResult): ObjectHeaders {
  const { contentDisposition: disposition, cacheControl, metadata } = object
  const protect = disposition === undefined && isActive(result.mime)
  return {
    contentType: contentType(result.mime, result.charset),
    contentDisposition: protect ? contentDisposition('attachment', undefined) : disposition,
    cacheControl,
    metadata,
  }
}
