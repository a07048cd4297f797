import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'

/** Fills an array with unpredictable bytes. */
export type RandomBytes = (size: number) => Uint8Array

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/** 256 unpredictable bits, 43 characters. */
export const newToken = (random: RandomBytes): string => base64url(random(32))

/** What the database holds in place of a token of full strength. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** Compares without telling by the time taken where the difference is. */
export function sameText(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}

/** The keys of one installation, all derived from its one secret. */
export interface Keyring {
  /** Signs a text for one purpose. */
  sign(purpose: string, text: string): string
  /** Tells whether a signature is ours, in constant time. */
  verify(purpose: string, text: string, signature: string): boolean
  /** Encrypts and authenticates; `context` must be the same when it is opened. */
  seal(context: string, text: string): string
  /** Opens what {@link Keyring.seal} made; `undefined` when it was altered or made with another secret. */
  open(context: string, sealed: string): string | undefined
}

export function createKeyring(secret: string, random: RandomBytes): Keyring {
  // Key objects: signing with plain bytes makes one each time, which costs more than the signature.
  const derive = (purpose: string) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `native-auth ${purpose}`, 32)))
  const keys = new Map<string, KeyObject>()
  const key = (purpose: string) => {
    const known = keys.get(purpose)
    if (known !== undefined) return known
    const made = derive(purpose)
    keys.set(purpose, made)
    return made
  }
  const sign = (purpose: string, text: string) => createHmac('sha256', key(purpose)).update(text).digest('base64url')
  return {
    sign,
    verify: (purpose, text, signature) => sameText(sign(purpose, text), signature),
    seal(context, text) {
      const iv = random(12)
      const cipher = createCipheriv('aes-256-gcm', key('seal'), iv).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return base64url(Buffer.concat([iv, cipher.getAuthTag(), body]))
    },
    open(context, sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < 28) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key('seal'), bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(12, 28))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
