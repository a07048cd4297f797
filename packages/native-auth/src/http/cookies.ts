import type { CookieOptions } from '../options.ts'

/** The cookies of one installation. */
export interface CookieJar {
  readonly session: string
  readonly form: string
  readonly device: string
  /** Builds a `Set-Cookie` value; `maxAgeSeconds` 0 removes the cookie. */
  write(name: string, value: string, maxAgeSeconds: number): string
}

/**
 * Names and attributes of the cookies.
 *
 * Over https a name begins with `__Host-`, by which browsers refuse any that a sibling domain planted or a network
 * attacker sent over http; with a path of its own only `__Secure-` is left, which keeps the latter out.
 *
 * @throws TypeError naming the option.
 * @see https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-cookie-name-prefixes
 */
export function createCookies(options: CookieOptions, basePath: string, insecure: boolean): CookieJar {
  const { prefix = 'native-auth-', path = '/' } = options
  if (!/^[\w.-]+$/.test(prefix) || /^__(?:host|secure)-/i.test(prefix)) {
    throw new TypeError(
      `Expected \`cookies.prefix\` to have letters, digits and . _ - and neither __Host- nor __Secure-, got \`${prefix}\``,
    )
  }
  if (!/^\/(?:[\w.~-]+\/?)*$/.test(path)) {
    throw new TypeError(`Expected \`cookies.path\` to be like / or /hub/, got \`${path}\``)
  }
  if (!`${basePath}/`.startsWith(path.endsWith('/') ? path : `${path}/`)) {
    throw new TypeError(`Expected \`cookies.path\` to hold \`basePath\`, got \`${path}\` for \`${basePath}\``)
  }
  const start = `${insecure ? '' : path === '/' ? '__Host-' : '__Secure-'}${prefix}`
  const attributes = `Path=${path}; HttpOnly; SameSite=Lax${insecure ? '' : '; Secure'}`
  return {
    session: `${start}session`,
    form: `${start}form`,
    device: `${start}device`,
    write: (name, value, maxAgeSeconds) => `${name}=${value}; Max-Age=${maxAgeSeconds}; ${attributes}`,
  }
}

/** Reads one cookie of a request. */
export function readCookie(headers: Headers, name: string): string | undefined {
  const header = headers.get('cookie')
  if (header === null) return undefined
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}

/** The session token of a request: a bearer token, else the cookie. */
export function readToken(headers: Headers, cookies: CookieJar): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
  return bearer ?? readCookie(headers, cookies.session)
}
