import { createAccounts } from './accounts/accounts.ts'
import { needRow } from './accounts/administer.ts'
import { checkOwnPassword, checkPassword, forgetFailures } from './accounts/authenticate.ts'
import { storePassword } from './accounts/change-password.ts'
import { importAccounts } from './accounts/import/import.ts'
import { createLinks } from './accounts/links.ts'
import { createAccount } from './accounts/sign-up.ts'
import { matchesWhole } from './accounts/username.ts'
import { createCore } from './core.ts'
import { NativeAuthError } from './errors.ts'
import { createCookies, readToken } from './http/cookies.ts'
import { createHandler } from './http/handler.ts'
import type { NativeAuth, NativeAuthCore } from './native-auth-types.ts'
import type { NativeAuthOptions } from './options.ts'
import { type ClientInfo, createSessions, type NewSession } from './sessions/sessions.ts'
import { spendCode } from './second-factor/codes.ts'
import { createSecondFactor, secondStep } from './second-factor/second-factor.ts'
import { readAudit, writeAudit } from './store/audit.ts'
import { storeLogin } from './store/logins.ts'
import { migrate } from './store/migrations.ts'
import type { AccountRow, AuthDb } from './store/tables.ts'

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
    const at = core.now()
    const { row: session, opened } = sessions.make({ ...row, last_login_at: at }, client)
    if (!(await storeLogin(db, { account: row, session, keep: core.sessionsBeside, at, ip: client.ip }))) {
      throw new NativeAuthError('NATIVE_AUTH_INVALID_CREDENTIALS', 'Invalid username or password')
    }
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
        let opened: NewSession<Profile> | undefined
        const plan = {
          field: 'new_password',
          action: 'password-changed',
          confirmation: passwords.confirmation,
          async prove() {
            if (row.has_totp === 1) await spendCode(core, row, passwords.code ?? '', client.ip)
          },
          async after(tx: AuthDb) {
            opened = await sessions.open(row, client, tx)
          },
        } as const
        await storePassword(core, row, passwords.next, plan, actor)
        if (opened === undefined) throw new NativeAuthError('NATIVE_AUTH_INTERNAL', 'Expected a session')
        return opened
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
        await auth.accounts.discard(account.id).catch(core.onError)
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
