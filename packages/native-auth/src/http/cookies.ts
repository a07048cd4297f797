/** The cookies of one installation. */
export interface CookieJar {
  readonly session: string
  readonly form: string
  readonly device: string
  /** Builds a `Set-Cookie` value; `maxAgeSeconds` 0 removes the cookie. */
  write(name: string, value: string, maxAgeSeconds: number): string
}

/** Names and attributes; the `__Host-` prefix makes browsers refuse any that a sibling domain planted. */
export function createCookies(insecure: boolean): CookieJar {
  const prefix = insecure ? 'native-auth-' : '__Host-native-auth-'
  const attributes = `Path=/; HttpOnly; SameSite=Lax${insecure ? '' : '; Secure'}`
  return {
    session: `${prefix}session`,
    form: `${prefix}form`,
    device: `${prefix}device`,
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
