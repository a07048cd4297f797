/** Reasons native-auth fails. A minor release may add codes; none changes meaning. */
export type NativeAuthErrorCode =
  | 'NATIVE_AUTH_INVALID_INPUT'
  | 'NATIVE_AUTH_USERNAME_TAKEN'
  | 'NATIVE_AUTH_NAME_RESERVED'
  | 'NATIVE_AUTH_SIGNUP_DISABLED'
  | 'NATIVE_AUTH_CAPTCHA_FAILED'
  | 'NATIVE_AUTH_INVALID_CREDENTIALS'
  | 'NATIVE_AUTH_PENDING'
  | 'NATIVE_AUTH_SECOND_FACTOR_REQUIRED'
  | 'NATIVE_AUTH_ENROLMENT_REQUIRED'
  | 'NATIVE_AUTH_INVALID_CODE'
  | 'NATIVE_AUTH_INVALID_LINK'
  | 'NATIVE_AUTH_RATE_LIMITED'
  | 'NATIVE_AUTH_BUSY'
  | 'NATIVE_AUTH_UNAUTHENTICATED'
  | 'NATIVE_AUTH_FORBIDDEN'
  | 'NATIVE_AUTH_CROSS_SITE'
  | 'NATIVE_AUTH_NOT_FOUND'
  | 'NATIVE_AUTH_METHOD_NOT_ALLOWED'
  | 'NATIVE_AUTH_BODY_TOO_LARGE'
  | 'NATIVE_AUTH_LAST_ADMIN'
  | 'NATIVE_AUTH_CONFLICT'
  | 'NATIVE_AUTH_MAIL_FAILED'
  | 'NATIVE_AUTH_BREACH_CHECK_FAILED'
  | 'NATIVE_AUTH_IMPORT_FAILED'
  | 'NATIVE_AUTH_INTERNAL'

/** One thing that is wrong with an input: where, which rule, and a sentence for people. */
export interface Issue {
  /** Path to the value, such as `['body', 'password']`. */
  readonly loc: readonly (string | number)[]
  /** Stable name of the rule, such as `missing`, `too_short` or `password_common`. */
  readonly type: string
  /** Sentence for people; its wording may change. */
  readonly msg: string
  /** The refused value; absent for passwords, codes and tokens, and where the whole body is wrong. */
  readonly input?: unknown
}

/** What an error carries beyond its code. */
export interface NativeAuthErrorOptions extends ErrorOptions {
  readonly issues?: readonly Issue[]
  readonly retryAfterSeconds?: number
  readonly challenge?: string
}

/** Every failure this package raises on purpose. Branch on {@link NativeAuthError.code}, not on the message. */
export class NativeAuthError extends Error {
  override readonly name = 'NativeAuthError'
  readonly code: NativeAuthErrorCode
  /** The rules that were broken; empty unless the code is `NATIVE_AUTH_INVALID_INPUT`. */
  readonly issues: readonly Issue[]
  /** How long to wait, in seconds; set with `NATIVE_AUTH_RATE_LIMITED` and `NATIVE_AUTH_BUSY`. */
  readonly retryAfterSeconds: number | undefined
  /** Token for the second step; set with `NATIVE_AUTH_SECOND_FACTOR_REQUIRED` and `NATIVE_AUTH_ENROLMENT_REQUIRED`. */
  readonly challenge: string | undefined

  constructor(code: NativeAuthErrorCode, message: string, options: NativeAuthErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.issues = options.issues ?? []
    this.retryAfterSeconds = options.retryAfterSeconds
    this.challenge = options.challenge
  }
}

/** Builds the error for one broken rule. */
export function invalid(field: string, type: string, msg: string, input?: unknown): NativeAuthError {
  const issue: Issue = { loc: ['body', field], type, msg, ...(input === undefined ? {} : { input }) }
  return new NativeAuthError('NATIVE_AUTH_INVALID_INPUT', msg, { issues: [issue] })
}
