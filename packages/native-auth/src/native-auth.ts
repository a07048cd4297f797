import type { Account } from './accounts/account.ts'
import { type AccountStore, createAccounts } from './accounts/accounts.ts'
import { type AccountRef, type Actor, needRow } from './accounts/administer.ts'
import {
  type AttemptClient,
  checkOwnPassword,
  checkPassword,
  type Credentials,
  forgetFailures,
} from './accounts/authenticate.ts'
import { storePassword } from './accounts/change-password.ts'
import type { ImportReport } from './accounts/import/entry.ts'
import { importAccounts, type ImportSource } from './accounts/import/import.ts'
import { createLinks, type Links, undoSignUp } from './accounts/links.ts'
import { createAccount, type NewAccount } from './accounts/sign-up.ts'
import { matchesWhole } from './accounts/username.ts'
import { createCore } from './core.ts'
import { NativeAuthError } from './errors.ts'
import { createCookies, readToken } from './http/cookies.ts'
import { createHandler, type HandlerContext } from './http/handler.ts'
import type { NativeAuthOptions } from './options.ts'
import {
  type ClientInfo,
  createSessions,
  type NewSession,
  type Session,
  type SessionStore,
} from './sessions/sessions.ts'
import { spendCode } from './second-factor/codes.ts'
import { createSecondFactor, type SecondFactor, secondStep } from './second-factor/second-factor.ts'
import { type AuditEntry, readAudit, writeAudit } from './store/audit.ts'
import type { AccountRow } from './store/tables.ts'
import { migrate } from './store/migrations.ts'

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
export interface SessionActions<Profile> extends Pick<SessionStore<Profile>, 'verify' | 'list' | 'revoke' | 'end'> {
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

/**
 * Builds an authenticator on a Kysely database.
 *
 * @throws TypeError, RangeError naming the option that is wrong.
 * @example
 * const auth = createNativeAuth({ db, secret: process.env.AUTH_SECRET })
 * await auth.migrate()
 * const response = await auth.handler(request, { clientIp })
 */
export function createNativeAuth<DB, Profile = Record<string, never>>(
  options: NativeAuthOptions<DB, Profile>,
): NativeAuth<Profile> {
  const core = createCore<DB, Profile>(options)
  const { db } = core
  const basePath = options.basePath ?? '/auth'
  if (!/^(?:\/[\w.~-]+)*$/.test(basePath)) {
    throw new TypeError(`Expected \`basePath\` to be empty or like /auth, got \`${basePath}\``)
  }
  const cookies = createCookies(options.cookies ?? {}, basePath, options.allowInsecureCookies === true)
  const sessions = createSessions(core)

  const logIn = async (row: AccountRow, client: ClientInfo): Promise<NewSession<Profile>> => {
    const now = core.now()
    const opened = await db.transaction().execute(async (tx) => {
      // What was proved must still be asked for: a password or second factor changed meanwhile has ended all sessions.
      const { numUpdatedRows } = await tx
        .updateTable('native_auth_accounts')
        .set({ last_login_at: now, failures: 0 })
        .where('id', '=', row.id)
        .where('password_changed_at', '=', Number(row.password_changed_at))
        .where('has_totp', '=', row.has_totp)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) {
        throw new NativeAuthError('NATIVE_AUTH_INVALID_CREDENTIALS', 'Invalid username or password')
      }
      const who = { actorId: row.id, accountId: row.id, username: row.username, ip: client.ip }
      await writeAudit(tx, { at: now, action: 'logged-in', ...who })
      return sessions.open({ ...row, last_login_at: now }, client, tx)
    })
    await core.tell('loggedIn', opened.session.account)
    return opened
  }

  const links = createLinks(core, basePath)

  const auth: NativeAuthCore<Profile> = {
    basePath,
    accounts: createAccounts(core),
    sessions: {
      verify: (token) => sessions.verify(token),
      list: (accountId) => sessions.list(accountId),
      revoke: (accountId, sessionId, actorId) => sessions.revoke(accountId, sessionId, actorId),
      end: (token) => sessions.end(token),
      async create(ref, client = {}) {
        return sessions.open(await needRow(core, ref), client)
      },
      async fromRequest(request) {
        const token = readToken(request.headers, cookies)
        return token === undefined ? undefined : sessions.verify(token)
      },
      async endFromRequest(request) {
        const token = readToken(request.headers, cookies)
        if (token !== undefined) await sessions.end(token)
        return cookies.write(cookies.session, '', 0)
      },
      async revokeAll(ref, actor = {}) {
        const row = await needRow(core, ref)
        const count = await sessions.endAll(row.id)
        await writeAudit(db, {
          at: core.now(),
          action: 'session-revoked',
          accountId: row.id,
          username: row.username,
          details: { count },
          ...actor,
        })
        return count
      },
    },
    passwords: {
      async change(session, passwords, client = {}) {
        const { username } = session.account
        const row = await checkOwnPassword(core, username, passwords.current, client, 'old_password')
        const actor = { actorId: row.id, ip: client.ip }
        const { confirmation } = passwords
        if (row.has_totp === 1) await spendCode(core, row, passwords.code ?? '', client.ip)
        const plan = { field: 'new_password', action: 'password-changed', confirmation } as const
        await storePassword(core, row, passwords.next, plan, actor)
        return sessions.open(row, client)
      },
      async set(ref, password, actor = {}, confirmation) {
        const plan = { field: 'new_password', action: 'password-reset', unlock: true, confirmation } as const
        await storePassword(core, await needRow(core, ref), password, plan, actor)
      },
    },
    async signUp(input, client = {}) {
      if (options.signUp?.enabled === false) {
        throw new NativeAuthError('NATIVE_AUTH_SIGNUP_DISABLED', 'Signing up is switched off here')
      }
      const account = await createAccount<Profile>(core, input, client.ip)
      const { selfApproval } = options.signUp ?? {}
      if (account.isAuthorised || selfApproval === undefined || account.email === undefined) return account
      if (!matchesWhole(selfApproval, account.email)) return account
      try {
        await links.sendConfirmation(account)
      } catch (error) {
        await undoSignUp(core, account)
        throw error
      }
      return account
    },
    async authenticate(credentials, client = {}) {
      const row = await checkPassword(core, credentials, client)
      if (row.has_totp === 1 && credentials.code !== undefined) {
        await spendCode(core, row, credentials.code, client.ip)
        return logIn(row, client)
      }
      const interruption = await secondStep(core, row)
      if (interruption !== undefined) throw interruption
      return logIn(row, client)
    },
    async unlock(ref, actor = {}) {
      const row = await needRow(core, ref)
      await forgetFailures(core, row, db)
      await writeAudit(db, { at: core.now(), action: 'unlocked', accountId: row.id, username: row.username, ...actor })
    },
    links,
    importAccounts: (source, { admins = [] } = {}) => importAccounts(core, source, admins),
    secondFactor: createSecondFactor(core, sessions, logIn),
    audit: { list: (filter) => readAudit(db, filter) },
    migrate: () => migrate(options.db),
    async prune() {
      const now = core.now()
      await sessions.prune()
      await db.deleteFrom('native_auth_tokens').where('expires_at', '<=', now).execute()
      await db
        .deleteFrom('native_auth_throttle')
        .where('expires_at', '<=', now)
        .where('blocked_until', '<=', now)
        .execute()
    },
  }
  const handler = createHandler({
    core,
    auth,
    basePath,
    origins: options.origins ?? [],
    home: options.home ?? `${basePath}/account`,
    serviceName: options.serviceName ?? 'Hub',
    cookies,
  })
  return { ...auth, handler }
}
