import { invalid, type NativeAuthError } from '../errors.ts'

/** Longest password, in code points; refused before any hashing. */
const MAX_PASSWORD = 128

/**
 * Asks somebody else whether a password is known to be stolen, for example by k-anonymity.
 *
 * @returns `true` when it is known.
 */
export type BreachCheck = (password: string) => Promise<boolean>

export interface PasswordPolicy {
  readonly minLength: number
  readonly refuseCommon: boolean
  readonly refuseSimilar: boolean
  readonly breachCheck: BreachCheck | undefined
  /** What happens when the breach check itself fails. */
  readonly breachCheckFailure: 'accept' | 'refuse'
  /** Further words that a password must not be, such as the name of the service; lower case. */
  readonly refusedWords: readonly string[]
}

/** Composes, so that two keyboards give one password; nothing else is changed, no space is trimmed. */
export const canonicalPassword = (password: string): string => password.normalize('NFC')

/** Tells whether a password is too long to be looked at; the bound is checked before anything costly. */
export function isTooLong(password: string): boolean {
  return password.length > 2 * MAX_PASSWORD || Array.from(password).length > MAX_PASSWORD
}

/** What a password must not resemble. */
export interface PasswordContext {
  readonly username: string
  readonly email?: string | undefined
}

/** Finds the first rule a new password breaks, without asking anybody outside the process. */
export async function findBrokenRule(
  password: string,
  policy: PasswordPolicy,
  context: PasswordContext,
  field: string,
): Promise<NativeAuthError | undefined> {
  if (isTooLong(password)) return invalid(field, 'too_long', `A password has at most ${MAX_PASSWORD} characters`)
  if (Array.from(password).length < policy.minLength) {
    return invalid(field, 'too_short', `A password has at least ${policy.minLength} characters`)
  }
  if (!password.isWellFormed() || password.includes('\0')) {
    return invalid(field, 'password_characters', 'A password is made of characters')
  }
  if (policy.refuseSimilar && resembles(password, context, policy.refusedWords)) {
    return invalid(field, 'password_similar', 'This password is too close to the username or the name of the service')
  }
  if (policy.refuseCommon) {
    const { isCommon } = await import('./common.ts')
    if (await isCommon(password)) {
      return invalid(field, 'password_common', 'This password is among the first that attackers try')
    }
  }
  return undefined
}

/** Letters and digits only, in lower case: `Ann-Smith1` and `annsmith1` are one word. */
const bare = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

function resembles(password: string, context: PasswordContext, words: readonly string[]): boolean {
  const bared = bare(password)
  const reversed = Array.from(bared).reverse().join('')
  const local = context.email?.slice(0, context.email.lastIndexOf('@')) ?? ''
  return [context.username, context.email ?? '', local, ...words].map(bare).some((word) => {
    if (word.length < 3) return false
    if (bared === word || reversed === word) return true
    // A name with a few characters around it is guessed as fast as the name.
    return word.length >= 4 && (bared.includes(word) || reversed.includes(word)) && bared.length - word.length < 5
  })
}
