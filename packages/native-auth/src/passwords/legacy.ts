/** Bcrypt as NativeAuthenticator, FirstUseAuthenticator and most other programs write it. */
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

/** Tells whether a stored string is a bcrypt hash that an import brought along. */
export function isBcrypt(hash: string): boolean {
  const cost = Number(BCRYPT.exec(hash)?.[1])
  return cost >= 4 && cost <= 16
}

/**
 * Checks a password against an imported hash.
 *
 * The library is loaded at the first such login: services without imports never pay for it.
 */
export async function verifyBcrypt(hash: string, password: string): Promise<boolean> {
  const { default: bcrypt } = await import('bcrypt')
  return bcrypt.compare(password, hash.replace(/^\$2y/, '$2b'))
}
