/**
 * Accepts a return target only if it is a path of this origin.
 *
 * Backslashes, control characters (plain or encoded) and whatever a browser could read as another host give the
 * fallback.
 */
export function safeNext(next: string | null | undefined, fallback: string): string {
  if (next === null || next === undefined || next.length > 2048) return fallback
  if (!next.startsWith('/') || /^\/+(?:[/\\]|%2f|%5c)/i.test(next) || /[\\\p{C}]|%[01][0-9a-f]|%7f/iu.test(next)) {
    return fallback
  }
  const base = 'http://own.invalid'
  if (!URL.canParse(next, base)) return fallback
  const url = new URL(next, base)
  if (url.origin !== base || url.pathname.startsWith('//')) return fallback
  return url.pathname + url.search + url.hash
}
