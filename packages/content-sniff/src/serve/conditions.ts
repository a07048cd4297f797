/** What a client's preconditions amount to. */
export type Precondition = 'proceed' | 'not-modified' | 'failed'

/** State of the stored object that preconditions speak of. */
export interface Validators {
  /** With quotes; a strong tag. */
  readonly etag: string
  readonly lastModified: Date
}

/**
 * Evaluates preconditions in the order of the standard.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
 */
export function evaluate(headers: Headers, { etag, lastModified }: Validators): Precondition {
  const modified = Math.floor(lastModified.getTime() / 1000) * 1000
  const ifMatch = headers.get('if-match')
  if (ifMatch !== null) {
    if (!listed(ifMatch, etag, true)) return 'failed'
  } else {
    const since = date(headers.get('if-unmodified-since'))
    if (since !== undefined && modified > since) return 'failed'
  }
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== null) return listed(ifNoneMatch, etag, false) ? 'not-modified' : 'proceed'
  const since = date(headers.get('if-modified-since'))
  return since !== undefined && modified <= since ? 'not-modified' : 'proceed'
}

/** Tells whether a Range may be honoured: If-Range must name the very representation that is there. */
export function rangeApplies(headers: Headers, { etag, lastModified }: Validators): boolean {
  const ifRange = headers.get('if-range')
  if (ifRange === null) return true
  if (ifRange.startsWith('"')) return ifRange === etag
  return date(ifRange) === Math.floor(lastModified.getTime() / 1000) * 1000
}

function listed(list: string, etag: string, strong: boolean): boolean {
  if (list.trim() === '*') return true
  return [...list.matchAll(/(W\/)?("[^"]*")/g)].some(([, weak, tag]) => tag === etag && !(strong && weak !== undefined))
}

function date(value: string | null): number | undefined {
  // Only the form that a server sends; others are ignored as the standard asks.
  if (value === null || !/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(value)) return undefined
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : time
}
