import { hash } from 'node:crypto'

import { problem } from './errors.ts'

/**
 * Strong validator of a representation: the row's version, then a digest of the bytes.
 *
 * Two representations of one version (another `include`) differ in the digest alone, so `If-Match` can compare versions
 * whatever the read looked like, and `If-None-Match` compares all.
 */
export function etagOf(body: string, version?: number): string {
  return `"${version === undefined ? '' : `v${version}.`}${hash('sha1', body, 'base64url').slice(0, 16)}"`
}

/** Tells whether the client has this representation. Weak comparison, as RFC 9110 (13.1.2) asks. */
export function isUnchanged(headers: Headers, etag: string): boolean {
  const given = headers.get('if-none-match')
  if (given === null) return false
  return given.trim() === '*' || tags(given).some((tag) => tag.replace(/^W\//, '') === etag)
}

/**
 * Refuses a change whose author has seen another version of the row. Call it with the row locked, before any write.
 *
 * @throws {@link ApiError} 412
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1
 */
export function requireMatch(headers: Headers, version: number): void {
  const given = headers.get('if-match')
  if (given === null || given.trim() === '*') return
  if (tags(given).some((tag) => tag.startsWith(`"v${version}.`))) return
  throw problem('precondition_failed', 'Expected the current `ETag`; somebody changed the resource since you read it', {
    header: 'If-Match',
  })
}

function tags(header: string): string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? []
}
