import { SniffError } from '../errors.ts'
import { INERT_INLINE_TYPES } from '../policy/inline.ts'
import { checkKey } from '../policy/keys.ts'
import { cacheControl, servingHeaders } from '../policy/serving-headers.ts'
import { attachmentName } from '../policy/stored-disposition.ts'
import type { Store, StoredObject } from '../stores/store.ts'
import { canonicalType, describeType } from '../types/table.ts'
import { evaluate, rangeApplies } from './conditions.ts'
import { parseRange } from './range.ts'

/** Options of {@link serve}. */
export interface ServeOptions {
  /**
   * Types that may be shown in place. An object stored as a download stays one.
   * @default the inert types of the policy
   */
  readonly inline?: Iterable<string>
  /** Download in any case. @default false */
  readonly download?: boolean
  /** More headers; those that make serving safe cannot be replaced. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Answers a GET or HEAD request for a stored object, as a fetch handler does.
 *
 * Ranges, entity tags and dates follow RFC 9110. Every answer carries `nosniff` and a sandboxing policy; whatever is
 * not on the inline list is a download, also when somebody stored it otherwise.
 *
 * @param key - Key as {@link Uploader.put} returned it; an impossible key is answered with 404.
 * @throws {@link SniffError} `SNIFF_STORE_FAILED` when the store fails.
 */
export async function serve(
  store: Store,
  key: string,
  request: Request,
  options: ServeOptions = {},
): Promise<Response> {
  const response = await answer(store, key, request, options)
  return request.method === 'HEAD' ? new Response(null, response) : response
}

async function answer(store: Store, key: string, request: Request, options: ServeOptions): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return plain(405, 'Method not allowed', { allow: 'GET, HEAD' })
  const object = await find(store, key, request.signal)
  if (object === undefined) return plain(404, 'Not found')

  const headers = headersOf(object, options)
  const precondition = evaluate(request.headers, object)
  if (precondition === 'failed') return plain(412, 'Precondition failed')
  if (precondition === 'not-modified') return new Response(null, { status: 304, headers: notModified(headers) })

  const asked = rangeApplies(request.headers, object)
    ? parseRange(request.headers.get('range'), object.size)
    : undefined
  const range = request.method === 'GET' ? asked : undefined
  if (range === 'unsatisfiable')
    return plain(416, 'Range not satisfiable', { 'content-range': `bytes */${object.size}` })
  const { start, end } = range ?? { start: 0, end: object.size - 1 }
  headers.set('content-length', String(end + 1 - start))
  if (range !== undefined) headers.set('content-range', `bytes ${start}-${end}/${object.size}`)
  if (request.method === 'HEAD') return new Response(null, { headers })

  const opened = await store.read(object.key, { signal: request.signal, ...(range === undefined ? {} : { range }) })
  if (opened === undefined) return plain(404, 'Not found')
  if (opened.object.etag !== object.etag) {
    // Replaced between the two calls: its length and type are no longer those announced.
    await opened.body.cancel()
    return plain(503, 'Changed while reading, try again', { 'retry-after': '0' })
  }
  return new Response(opened.body, { status: range === undefined ? 200 : 206, headers })
}

async function find(store: Store, key: string, signal: AbortSignal): Promise<StoredObject | undefined> {
  try {
    return await store.head(checkKey(key), { signal })
  } catch (error) {
    if (error instanceof SniffError && error.code === 'SNIFF_BAD_KEY') return undefined
    throw error
  }
}

function headersOf(object: StoredObject, options: ServeOptions): Headers {
  const mime = canonicalType(object.contentType)
  const allowed = new Set([...(options.inline ?? INERT_INLINE_TYPES)].map(canonicalType))
  const stored = attachmentName(object.contentDisposition)
  const inline = options.download !== true && allowed.has(mime) && stored.type === 'inline'
  const charset = /;\s*charset=([\w.:-]+)/i.exec(object.contentType)?.[1]
  const headers = new Headers(options.headers)
  const safe = servingHeaders({
    mime: inline ? mime : asDownload(mime),
    charset,
    filename: stored.filename,
    disposition: inline ? 'inline' : 'attachment',
  })
  for (const [name, value] of Object.entries({
    ...safe,
    'cache-control': object.cacheControl ?? cacheControl(mime, false),
  })) {
    headers.set(name, value)
  }
  if (object.contentEncoding !== undefined) headers.set('content-encoding', object.contentEncoding)
  headers.set('etag', object.etag)
  headers.set('last-modified', object.lastModified.toUTCString())
  headers.set('accept-ranges', 'bytes')
  return headers
}

/**
 * A download has no use for a type that pages load scripts or style sheets by: under it, an upload could stand in for
 * the site's own. As plain text with `nosniff` no browser takes it for either.
 */
function asDownload(mime: string): string {
  return describeType(mime).family === 'script' || mime === 'text/css' ? 'text/plain' : mime
}

/** A 304 repeats what caches update and leaves out what describes the body. */
function notModified(headers: Headers): Headers {
  const kept = new Headers(headers)
  for (const name of ['content-type', 'content-length', 'content-disposition']) kept.delete(name)
  return kept
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
      ...headers,
    },
  })
}
