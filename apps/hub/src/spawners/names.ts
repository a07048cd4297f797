import { createHash } from 'node:crypto'

/** Writes a name for a URL path as JupyterHub does: `@` and `~` stay readable. */
export function urlName(name: string): string {
  return encodeURIComponent(name)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%40', '@')
}

/**
 * Writes a name for a container, volume or file as dockerspawner does: each byte that is no lower-case letter or digit
 * becomes `-` and two hexadecimal digits.
 *
 * @see https://github.com/minrk/escapism
 */
export function safeName(name: string): string {
  const safe = escaped(name)
  if (safe.length <= LONGEST) return safe
  // No escape begins with `-h`, so a shortened name is never another's full one.
  return `${safe.slice(0, LONGEST - 30)}-hash-${createHash('sha256').update(name).digest('hex').slice(0, 24)}`
}

/** Longest name of a file or container, in characters: two of them, joined, still fit a file system's 255. */
const LONGEST = 120

function escaped(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[a-z0-9]/.test(char) ? char : `-${byte.toString(16).padStart(2, '0')}`
    })
    .join('')
}

/** The file or container name of one server; two servers never share one. */
export function serverFileName(user: string, server: string): string {
  return server === '' ? safeName(user) : `${safeName(user)}--${safeName(server)}`
}

/** The names and addresses that follow from whose server it is. */
export interface ServerNames {
  /** URL path, escaped, slashes at both ends. */
  readonly prefix: string
  /** The same, unescaped, as the proxy's table holds it. */
  readonly route: string
  readonly clientId: string
  readonly progressPath: string
}

/** Makes the names of one server below a base path. */
export function serverNames(baseUrl: string, user: string, server: string): ServerNames {
  const tail = server === '' ? '' : `${urlName(server)}/`
  const api = `${baseUrl}hub/api/users/${urlName(user)}`
  return {
    prefix: `${baseUrl}user/${urlName(user)}/${tail}`,
    route: `${baseUrl}user/${user}/${server === '' ? '' : `${server}/`}`,
    // JupyterHub joins with a hyphen, so `a-b` and the server `b` of `a` were one client. A slash is in no name.
    clientId: `jupyterhub-user-${urlName(user)}${server === '' ? '' : `%2F${urlName(server)}`}`,
    progressPath: server === '' ? `${api}/server/progress` : `${api}/servers/${urlName(server)}/progress`,
  }
}

/** Whether a name can be a user's: it must survive a URL path, and a file system. */
export function isUserName(name: string): boolean {
  return (
    name.length > 0 &&
    Buffer.byteLength(name) <= 255 &&
    name === name.trim() &&
    name !== '.' &&
    name !== '..' &&
    !/[/\\\p{Cc}\p{Cs}]/u.test(name)
  )
}
