import type { Account } from './accounts/account.ts'
import type { AccountStore } from './accounts/accounts.ts'
import type { AccountRef, Actor } from './accounts/administer.ts'
import type { AttemptClient, Credentials } from './accounts/authenticate.ts'
import type { ImportReport } from './accounts/import/entry.ts'
import type { ImportSource } from './accounts/import/import.ts'
import type { Links } from './accounts/links.ts'
import type { NewAccount } from './accounts/sign-up.ts'
import type { ClientInfo, NewSession, Session, SessionStore } from './sessions/sessions.ts'
import type { SecondFactor } from './second-factor/second-factor.ts'
import type { AuditEntry } from './store/audit.ts'

/** What the adapter knows about a request and the request does not say. */
export interface HandlerContext {
  /** Address of the client, from the socket or from a proxy that the operator trusts. */
  readonly clientIp?: string | undefined
}

/** What an owner gives to change the password. */
export interface PasswordChange {
  readonly current: string
  readonly next: string
  /** The new password once more; checked when it is given. */
  readonly confirmation?: string | undefined
  /** Code of the second factor; needed when there is one. */
  readonly code?: string | undefined
}

/** Passwords of existing accounts. */
export interface PasswordActions<Profile> {
  /**
   * Changes a password by its owner; every session ends, the answer opens a new one.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT`, `NATIVE_AUTH_INVALID_CODE`, `NATIVE_AUTH_BUSY`.
   */
  change(session: Session<Profile>, passwords: PasswordChange, client?: AttemptClient): Promise<NewSession<Profile>>
  /**
   * Sets a password as an administrator; every session ends, failures are forgotten.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT`, `NATIVE_AUTH_NOT_FOUND`, `NATIVE_AUTH_BUSY`.
   */
  set(ref: AccountRef, password: string, actor?: Actor, confirmation?: string): Promise<void>
}

/** Sessions: opaque tokens of 256 bits, of which the database knows only the hash. */
export interface SessionActions<Profile> extends SessionStore<Profile> {
  /**
   * Opens a session without asking for a password; for callers that have their own proof.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`.
   */
  create(ref: AccountRef, client?: ClientInfo): Promise<NewSession<Profile>>
  /** Finds the live session of a request, by bearer token or cookie. */
  fromRequest(request: { readonly headers: Headers }): Promise<Session<Profile> | undefined>
  /**
   * Ends the session of a request, for a log-out of the application's own; guard it against other sites.
   *
   * @returns the `Set-Cookie` value that takes the session away from the browser; send it in any case.
   */
  endFromRequest(request: { readonly headers: Headers }): Promise<string>
  /** Ends all sessions of an account. @returns how many there were. */
  revokeAll(ref: AccountRef, actor?: Actor): Promise<number>
}

/** Everything but HTTP. */
export interface NativeAuthCore<Profile> {
  readonly accounts: AccountStore<Profile>
  readonly sessions: SessionActions<Profile>
  readonly passwords: PasswordActions<Profile>
  readonly secondFactor: SecondFactor<Profile>
  readonly links: Links<Profile>
  /** Path that {@link NativeAuth.handler} answers under. */
  readonly basePath: string
  /**
   * Signs somebody up under the rules of the service.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_SIGNUP_DISABLED`, `NATIVE_AUTH_INVALID_INPUT`,
   *   `NATIVE_AUTH_USERNAME_TAKEN`, `NATIVE_AUTH_NAME_RESERVED`, `NATIVE_AUTH_CAPTCHA_FAILED`,
   *   `NATIVE_AUTH_MAIL_FAILED`, `NATIVE_AUTH_BREACH_CHECK_FAILED`, `NATIVE_AUTH_BUSY`.
   */
  signUp(input: NewAccount, client?: ClientInfo): Promise<Account<Profile>>
  /**
   * Checks name and password under all limits and opens a session.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_CREDENTIALS`, `NATIVE_AUTH_PENDING`, `NATIVE_AUTH_BUSY`;
   *   with `challenge` `NATIVE_AUTH_SECOND_FACTOR_REQUIRED` (see {@link SecondFactor.complete}) and
   *   `NATIVE_AUTH_ENROLMENT_REQUIRED` (see {@link SecondFactor.enrolment}).
   */
  authenticate(credentials: Credentials, client?: AttemptClient): Promise<NewSession<Profile>>
  /** Forgets the failures of an account, so that its owner may try again. */
  unlock(ref: AccountRef, actor?: Actor): Promise<void>
  /**
   * Takes over accounts of another program with the passwords they have; safe to repeat.
   *
   * @param source - From {@link readNativeAuthenticator}, {@link readFirstUse} or your own reader.
   * @param options - `admins`: names that become administrators.
   * @throws {@link NativeAuthError} `NATIVE_AUTH_IMPORT_FAILED` from the reader.
   */
  importAccounts(source: ImportSource, options?: { readonly admins?: readonly string[] }): Promise<ImportReport>
  readonly audit: {
    /** Reads the trail, newest first. */
    list(filter?: {
      readonly accountId?: number
      readonly before?: number
      readonly limit?: number
    }): Promise<readonly AuditEntry[]>
  }
  /** Brings the tables up to date; safe to call at each start. */
  migrate(): Promise<void>
  /** Removes what has expired; call now and then. */
  prune(): Promise<void>
}

/** The authenticator of one service. */
export interface NativeAuth<Profile> extends NativeAuthCore<Profile> {
  /**
   * Answers a request under the base path: pages and JSON.
   *
   * @param context - `clientIp`: address of the client as the adapter knows it; without it no limit by client applies.
   * @returns always an answer; a path that is not ours is a 404.
   */
  handler(request: Request, context?: HandlerContext): Promise<Response>
}
