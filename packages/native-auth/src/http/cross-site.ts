import { NativeAuthError } from '../errors.ts'

/**
 * Refuses requests that another site made the browser send.
 *
 * `Sec-Fetch-Site` decides where it says `same-origin` or `none`; else the origin must be a known one. Without
 * either header only callers that carry no cookie, and therefore are no browser with a login, may pass.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_CROSS_SITE`.
 */
export function refuseCrossSite(request: Request, origins: readonly string[]): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const site = request.headers.get('sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return
  const origin = request.headers.get('origin')
  const known = origins.length > 0 ? origins : [new URL(request.url).origin]
  if (origin !== null && known.includes(origin)) return
  const bearer = request.headers.has('authorization') && !request.headers.has('cookie')
  if (site === null && origin === null && (bearer || !request.headers.has('cookie'))) return
  throw new NativeAuthError('NATIVE_AUTH_CROSS_SITE', 'This request came from another site')
}
