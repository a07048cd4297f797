import { sql } from 'kysely'

import type { Core } from '../core.ts'
import { invalid, NativeAuthError } from '../errors.ts'
import { writeAudit } from '../store/audit.ts'
import { ACCOUNT_COLUMNS } from '../store/tables.ts'
import { type Account, toAccount } from './account.ts'
import { type AccountRef, type Actor, change, endAccess, findRow, needRow } from './administer.ts'
import { createAccount, type NewAccount } from './sign-up.ts'

/** Which accounts to list. */
export interface AccountFilter {
  /** Part of the username, display name or e-mail address. */
  readonly search?: string | undefined
  readonly state?: 'pending' | 'authorised' | 'blocked' | 'admin' | undefined
  /** Accounts to skip. @default 0 */
  readonly offset?: number | undefined
  /** Accounts to return, at most 200. @default 50 */
  readonly limit?: number | undefined
}

/** One page of a list. */
export interface AccountPage<Profile> {
  readonly accounts: readonly Account<Profile>[]
  /** Accounts that match, on all pages. */
  readonly total: number
}

/** What a block says. */
export interface BlockOptions {
  /** At most 500 characters; shown to administrators. */
  readonly reason?: string | undefined
  /** End of the block, in milliseconds since the epoch; without it the block has no end. */
  readonly until?: number | undefined
}

/** The accounts of a service. */
export interface AccountStore<Profile> {
  /** Finds an account by number or by any spelling of its name. */
  get(ref: AccountRef): Promise<Account<Profile> | undefined>
  /**
   * Creates an account as an administrator does: authorised, under the usual rules for name and password.
   *
   * @throws {@link NativeAuthError} as for a sign-up.
   */
  create(input: NewAccount & { readonly isAdmin?: boolean }, actor?: Actor): Promise<Account<Profile>>
  /**
   * Creates the first administrator; safe to call at each start.
   *
   * @returns the account when it was made now, `undefined` when there is an administrator already.
   * @throws {@link NativeAuthError} as for a sign-up.
   */
  bootstrapAdmin(input: NewAccount): Promise<Account<Profile> | undefined>
  /** Lists accounts by name, a page at a time, in two statements. */
  list(filter?: AccountFilter): Promise<AccountPage<Profile>>
  /** Lets an account log in. Safe to repeat. @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`. */
  authorise(ref: AccountRef, actor?: Actor): Promise<Account<Profile>>
  /**
   * Takes the authorisation back and ends all sessions and links of the account.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`, `NATIVE_AUTH_LAST_ADMIN`.
   */
  unauthorise(ref: AccountRef, actor?: Actor): Promise<Account<Profile>>
  /**
   * Blocks an account and ends all its sessions and links.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`, `NATIVE_AUTH_LAST_ADMIN`; `NATIVE_AUTH_INVALID_INPUT` when
   *   `until` is over already.
   */
  block(ref: AccountRef, options?: BlockOptions, actor?: Actor): Promise<Account<Profile>>
  /** Lifts a block. @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`. */
  unblock(ref: AccountRef, actor?: Actor): Promise<Account<Profile>>
  /**
   * Makes an account an administrator, or an ordinary one; its sessions end, the next login starts with the new rights.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`, `NATIVE_AUTH_LAST_ADMIN`.
   */
  setAdmin(ref: AccountRef, isAdmin: boolean, actor?: Actor): Promise<Account<Profile>>
  /**
   * Removes an account that is not authorised.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`; `NATIVE_AUTH_CONFLICT` while it is authorised.
   */
  discard(ref: AccountRef, actor?: Actor): Promise<void>
  /**
   * Removes an account, authorised or not; for services that delete the user they belong to.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`, `NATIVE_AUTH_LAST_ADMIN`.
   */
  remove(ref: AccountRef, actor?: Actor): Promise<void>
}

/** The last time that a date can name, in milliseconds since the epoch. */
const MAX_TIME = 8.64e15

export function createAccounts<Profile>(core: Core<Profile>): AccountStore<Profile> {
  const { db } = core
  return {
    async get(ref) {
      const row = await findRow(core, ref)
      return row === undefined ? undefined : toAccount<Profile>(row, core.now())
    },

    create(input, actor = {}) {
      const grant = { isAuthorised: true, isAdmin: input.isAdmin ?? false, actorId: actor.actorId }
      return createAccount(core, input, actor.ip, grant)
    },

    async bootstrapAdmin(input) {
      const admin = await db
        .selectFrom('native_auth_accounts')
        .select('id')
        .where('is_admin', '=', 1)
        .limit(1)
        .executeTakeFirst()
      if (admin !== undefined) return undefined
      try {
        return await this.create({ ...input, isAdmin: true })
      } catch (error) {
        // Another process that starts at the same time made the same account.
        if (!(error instanceof NativeAuthError) || error.code !== 'NATIVE_AUTH_USERNAME_TAKEN') throw error
        if ((await findRow(core, input.username))?.is_admin !== 1) throw error
        return undefined
      }
    },

    async list(filter = {}) {
      const now = core.now()
      let query = db.selectFrom('native_auth_accounts')
      const search = filter.search?.replaceAll('\0', '').trim().toLowerCase().normalize('NFC') ?? ''
      if (search !== '') {
        const like = `%${search.replace(/[\\%_]/g, (character) => `\\${character}`)}%`
        query = query.where((where) =>
          where.or(
            (['username', 'display_name', 'email'] as const).map(
              (column) => sql<boolean>`lower(${sql.ref(column)}) like ${like} escape '\\'`,
            ),
          ),
        )
      }
      if (filter.state === 'pending') query = query.where('is_authorised', '=', 0)
      if (filter.state === 'authorised') query = query.where('is_authorised', '=', 1)
      if (filter.state === 'admin') query = query.where('is_admin', '=', 1)
      if (filter.state === 'blocked') {
        query = query
          .where('is_blocked', '=', 1)
          .where((where) => where.or([where('blocked_until', 'is', null), where('blocked_until', '>', now)]))
      }
      const { count } = await query
        .select((select) => select.fn.countAll<number | string>().as('count'))
        .executeTakeFirstOrThrow()
      const rows = await query
        .select(ACCOUNT_COLUMNS)
        .orderBy('username')
        .limit(Math.min(200, Math.max(1, Math.trunc(filter.limit ?? 50))))
        .offset(Math.max(0, Math.trunc(filter.offset ?? 0)))
        .execute()
      return { accounts: rows.map((row) => toAccount<Profile>(row, now)), total: Number(count) }
    },

    authorise(ref, actor = {}) {
      const set = { is_authorised: 1, authorised_at: core.now() }
      return change(core, ref, actor, { set, action: 'authorised', hook: 'authorised' })
    },

    unauthorise(ref, actor = {}) {
      const set = { is_authorised: 0, authorised_at: null }
      return change(core, ref, actor, {
        set,
        action: 'unauthorised',
        hook: 'unauthorised',
        ends: true,
        demotes: true,
      })
    },

    async block(ref, options = {}, actor = {}) {
      const { until } = options
      // A block that keeps nobody out is a mistake, such as a time without its zone.
      if (until !== undefined && !(until > core.now() && until <= MAX_TIME)) {
        throw invalid('until', 'datetime_past', 'Give a time that is still to come')
      }
      const set = {
        is_blocked: 1,
        blocked_reason: options.reason?.replaceAll('\0', '').slice(0, 500) ?? null,
        blocked_until: until === undefined ? null : Math.ceil(until),
      }
      return change(core, ref, actor, { set, action: 'blocked', hook: 'blocked', ends: true, demotes: true })
    },

    unblock(ref, actor = {}) {
      const set = { is_blocked: 0, blocked_reason: null, blocked_until: null }
      return change(core, ref, actor, { set, action: 'unblocked', hook: 'unblocked' })
    },

    setAdmin(ref, isAdmin, actor = {}) {
      return change(core, ref, actor, {
        set: { is_admin: isAdmin ? 1 : 0 },
        action: isAdmin ? 'admin-granted' : 'admin-withdrawn',
        hook: 'adminChanged',
        ends: true,
        demotes: !isAdmin,
      })
    },

    async discard(ref, actor = {}) {
      await removeAccount(core, ref, actor)
    },

    async remove(ref, actor = {}) {
      const row = await needRow(core, ref)
      if (row.is_authorised === 1) await this.unauthorise(row.id, actor)
      await removeAccount(core, row.id, actor)
    },
  }
}

async function removeAccount<Profile>(core: Core<Profile>, ref: AccountRef, actor: Actor): Promise<void> {
  const row = await needRow(core, ref)
  await core.db.transaction().execute(async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom('native_auth_accounts')
      .where('id', '=', row.id)
      .where('is_authorised', '=', 0)
      .executeTakeFirst()
    if (numDeletedRows === 0n) {
      throw new NativeAuthError('NATIVE_AUTH_CONFLICT', 'Take back the authorisation before discarding the account')
    }
    // After the account, as everywhere; the database does it too, where it enforces references.
    await endAccess(tx, row.id)
    await tx.deleteFrom('native_auth_recovery_codes').where('account_id', '=', row.id).execute()
    await writeAudit(tx, { at: core.now(), action: 'removed', accountId: row.id, username: row.username, ...actor })
  })
  await core.tell('removed', toAccount<Profile>(row, core.now()), actor.actorId)
}
