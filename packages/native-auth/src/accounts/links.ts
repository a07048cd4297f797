import type { Core } from '../core.ts'
import { NativeAuthError } from '../errors.ts'
import { writeAudit } from '../store/audit.ts'
import { issueToken, peekToken, takeToken, type TokenKind } from '../store/tokens.ts'
import { attempt } from '../throttle/limits.ts'
import type { Account } from './account.ts'
import { type AccountRef, type Actor, change, needRow } from './administer.ts'
import { checkConfirmation, storePassword } from './change-password.ts'
import { canonicalUsername } from './username.ts'

/** Life of a mailed confirmation, in milliseconds. */
const CONFIRM_MS = 900_000
/** Life of a link to a new password, in milliseconds. */
const RESET_MS = 3_600_000
/** Mails to one account; more would make this service a nuisance to its own users. */
const MAILS = { hits: 3, windowMs: 3_600_000, blockMs: 0, maxBlockMs: 0 }

/** A link that works once. */
export interface OneTimeLink {
  readonly token: string
  /** Path of the page behind it. */
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Links that work once and end when the password changes or the account loses access. */
export interface Links<Profile> {
  /**
   * Makes a link to a new password, for an administrator to hand over; valid for an hour.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`.
   */
  createReset(ref: AccountRef, actor?: Actor): Promise<OneTimeLink>
  /** Mails such a link to the owner of a name. Answers alike whoever is named; nothing happens without an address. */
  requestReset(username: string): Promise<void>
  /** Whether a link still works; looking does not use it up. */
  isOpen(kind: 'reset' | 'confirm', token: string): Promise<boolean>
  /**
   * Sets a new password; sessions end, failures are forgotten, no session opens: the second factor is still asked for.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_LINK`, `NATIVE_AUTH_INVALID_INPUT`, `NATIVE_AUTH_BUSY`.
   */
  reset(token: string, password: string, client?: Actor, confirmation?: string): Promise<void>
  /** Authorises the account that a mailed link belongs to. @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_LINK`. */
  confirm(token: string, client?: Actor): Promise<Account<Profile>>
  /** Mails the link by which a new account authorises itself. @throws {@link NativeAuthError} `NATIVE_AUTH_MAIL_FAILED`. */
  sendConfirmation(account: Account<Profile>): Promise<void>
}

export function createLinks<Profile>(core: Core<Profile>, basePath: string): Links<Profile> {
  const { db, options } = core
  const invalidLink = () => new NativeAuthError('NATIVE_AUTH_INVALID_LINK', 'This link is used up or too old')
  const service = options.serviceName ?? 'Hub'

  const issue = async (kind: TokenKind, accountId: number, ttlMs: number): Promise<OneTimeLink> => {
    const now = core.now()
    const token = await issueToken(db, core.random, { kind, accountId, now, ttlMs })
    return { token, path: `${basePath}/${kind}/${token}`, expiresAt: now + ttlMs }
  }

  const mail = async (to: string, kind: 'reset' | 'confirm', text: (url: string) => string, link: OneTimeLink) => {
    const subject = kind === 'reset' ? `New password for ${service}` : `Confirm your account on ${service}`
    // The origin comes from the options: a forged Host header must not lead anybody elsewhere.
    await options.mail?.({ to, kind, subject, text: text(`${options.origins?.[0] ?? ''}${link.path}`) })
  }

  return {
    async createReset(ref, actor = {}) {
      const row = await needRow(core, ref)
      const link = await issue('reset', row.id, RESET_MS)
      await writeAudit(db, {
        at: core.now(),
        action: 'link-issued',
        accountId: row.id,
        username: row.username,
        ...actor,
      })
      return link
    },

    async requestReset(username) {
      if (options.mail === undefined) return
      const row = await db
        .selectFrom('native_auth_accounts')
        .select(['id', 'email', 'username'])
        .where('username', '=', canonicalUsername(username, core.names.map))
        .executeTakeFirst()
      const { email } = row ?? {}
      if (row === undefined || email === undefined || email === null) return
      // Not awaited: how long a mail takes must not tell whether there is an account.
      const send = async () => {
        const counted = await attempt(db, `mail:${row.id}`, MAILS, core.now())
        if (!counted.allowed) return
        const link = await issue('reset', row.id, RESET_MS)
        const text = (url: string) =>
          `Somebody asked for a new password for ${row.username}.\n\nTo choose one, open this within an hour:\n${url}\n\nIf it was not you, nothing needs to be done.\n`
        await mail(email, 'reset', text, link)
      }
      send().catch(core.onError)
    },

    async isOpen(kind, token) {
      return (await peekToken(db, kind, token, core.now())) !== undefined
    },

    async reset(token, password, client = {}, confirmation) {
      const stored = await peekToken(db, 'reset', token, core.now())
      if (stored === undefined) throw invalidLink()
      const row = await needRow(core, stored.accountId)
      checkConfirmation(password, confirmation, 'new_password_confirmation')
      await storePassword(
        core,
        row,
        password,
        {
          field: 'new_password',
          action: 'password-reset',
          unlock: true,
          async before(tx) {
            // Taken where the password is stored: of two at once one wins, and a refused password costs no link.
            if ((await takeToken(tx, 'reset', token, core.now())) === undefined) throw invalidLink()
          },
        },
        { actorId: row.id, ...client },
      )
    },

    async confirm(token, client = {}) {
      const stored = await peekToken(db, 'confirm', token, core.now())
      if (stored === undefined) throw invalidLink()
      const actor = { actorId: stored.accountId, ...client }
      return change(core, stored.accountId, actor, {
        set: { is_authorised: 1, authorised_at: core.now() },
        action: 'authorised',
        hook: 'authorised',
        async also(tx) {
          // Taken with what it is for: of two at once one wins, and a failure costs no link.
          if ((await takeToken(tx, 'confirm', token, core.now())) === undefined) throw invalidLink()
        },
      })
    },

    async sendConfirmation(account) {
      const link = await issue('confirm', account.id, CONFIRM_MS)
      const text = (url: string) =>
        `Welcome to ${service}, ${account.username}.\n\nTo confirm your account, open this within 15 minutes:\n${url}\n`
      try {
        await mail(account.email ?? '', 'confirm', text, link)
      } catch (cause) {
        throw new NativeAuthError('NATIVE_AUTH_MAIL_FAILED', 'The mail cannot be sent now; try again later', { cause })
      }
    },
  }
}
