import { describeType } from '../types/table.ts'
import { isActive } from '../types/active.ts'
import { contentDisposition } from './names.ts'

/** Headers that make a stored file safe to open, lower-case names. */
export interface ServingHeaders {
  readonly 'content-type': string
  readonly 'content-disposition': string
  readonly 'cache-control': string
  readonly 'content-security-policy': string
  readonly 'x-content-type-options': 'nosniff'
}

/** What {@link servingHeaders} needs to know. */
export interface ServingFacts {
  /** Canonical media type. */
  readonly mime: string
  readonly charset?: string | undefined
  readonly filename?: string | undefined
  readonly disposition: 'inline' | 'attachment'
  /** True when the key never names other bytes, so that caches may keep them for ever. */
  readonly immutable?: boolean
}

/**
 * Nothing runs, nothing is fetched, no origin: what browsers need to show a picture, a film or a text is added back.
 *
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/sandbox
 */
const SANDBOX = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox"

/** Chromium shows a PDF in a plug-in document, which a sandbox blocks; PDF scripts never reach the page's origin. */
const PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"

/** The headers to serve a file with. */
export function servingHeaders(facts: ServingFacts): ServingHeaders {
  const viewer = facts.mime === 'application/pdf' && facts.disposition === 'inline'
  return {
    'content-type': contentType(facts.mime, facts.charset),
    'content-disposition': contentDisposition(facts.disposition, facts.filename),
    'cache-control': cacheControl(facts.mime, facts.immutable === true),
    'content-security-policy': viewer ? PDF : SANDBOX,
    'x-content-type-options': 'nosniff',
  }
}

/** A Content-Type value; the charset goes with text only, since XML names its own. */
export function contentType(mime: string, charset: string | undefined): string {
  const { family } = describeType(mime)
  const takesCharset = mime.startsWith('text/') || family === 'script'
  return charset !== undefined && takesCharset ? `${mime}; charset=${charset}` : mime
}

/** A Cache-Control value: never shared, revalidated where content is active or the key may be written again. */
export function cacheControl(mime: string, immutable: boolean): string {
  return immutable && !isActive(mime) ? 'private, max-age=31536000, immutable' : 'private, max-age=0, must-revalidate'
}
