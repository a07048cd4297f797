import { invalid, NativeAuthError } from '../errors.ts'
import { createGate, type Gate } from './gate.ts'
import type { PasswordHasher } from './hasher.ts'
import { isBcrypt, verifyBcrypt } from './legacy.ts'
import { canonicalPassword, findBrokenRule, isTooLong, type PasswordContext, type PasswordPolicy } from './policy.ts'

/** Everything that is done with passwords; each hash passes one gate. */
export interface Passwords {
  readonly gate: Gate
  /** Shortest password, in code points. */
  readonly minLength: number
  /**
   * Checks a new password against the policy.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT`, `NATIVE_AUTH_BREACH_CHECK_FAILED`.
   */
  check(password: string, context: PasswordContext, field?: string): Promise<void>
  /** Hashes a password. @throws {@link NativeAuthError} `NATIVE_AUTH_BUSY`. */
  hash(password: string): Promise<string>
  /** Exactly one verification, whatever is stored; call inside the gate. */
  verify(stored: string | null, password: string): Promise<boolean>
  /** The new string when the stored one is weaker than today's; `undefined` when it is not. */
  rehash(stored: string, password: string): Promise<string | undefined>
}

export function createPasswords(options: {
  readonly hasher: PasswordHasher
  readonly policy: PasswordPolicy
  readonly inFlight: number
  readonly waiting: number
  readonly onError: (error: unknown) => void
}): Passwords {
  const { hasher, onError, policy } = options
  const gate = createGate(options)
  // Made with the current parameters by the hasher in use: an unknown name must cost what a known one costs.
  let made: Promise<string> | undefined
  const dummyHash = () => {
    made ??= hasher.hash('a password that nobody has').catch((error: unknown) => {
      // Once without memory must not mean no login until the next start.
      made = undefined
      throw error
    })
    return made
  }
  return {
    gate,
    minLength: policy.minLength,
    async check(password, context, field = 'password') {
      const broken = await findBrokenRule(password, policy, context, field)
      if (broken !== undefined) throw broken
      if (policy.breachCheck !== undefined && (await isBreached(password, policy, onError))) {
        throw invalid(field, 'password_breached', 'This password is in a list of stolen passwords')
      }
    },
    hash: (password) => gate.run(() => hasher.hash(canonicalPassword(password))),
    async verify(stored, password) {
      const text = isTooLong(password) ? '' : canonicalPassword(password)
      if (stored !== null && isBcrypt(stored)) return verifyBcrypt(stored, text)
      // Made at the first login, whoever it names: the first unknown name must not be the one that waits for it.
      const dummy = await dummyHash()
      const matches = await hasher.verify(stored ?? dummy, text)
      return matches && stored !== null && !isTooLong(password)
    },
    async rehash(stored, password) {
      return hasher.isOutdated(stored) ? hasher.hash(canonicalPassword(password)) : undefined
    },
  }
}

async function isBreached(
  password: string,
  policy: PasswordPolicy,
  onError: (error: unknown) => void,
): Promise<boolean> {
  try {
    return (await policy.breachCheck?.(password)) === true
  } catch (cause) {
    if (policy.breachCheckFailure === 'accept') {
      onError(cause)
      return false
    }
    throw new NativeAuthError(
      'NATIVE_AUTH_BREACH_CHECK_FAILED',
      'The password cannot be checked now; try again later',
      {
        cause,
      },
    )
  }
}
