import type { CompiledQuery } from 'kysely'

import { type Account, isBlockedAt, toAccount } from '../accounts/account.ts'
import type { Core } from '../core.ts'
import { hashToken, newToken } from '../internal/secrets.ts'
import { writeAudit } from '../store/audit.ts'
import type { AccountRow, AuthDb } from '../store/tables.ts'

/** Where a request comes from, as the adapter knows it. */
export interface ClientInfo {
  /** Address of the client, from the socket or from a proxy that the operator trusts. */
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
}

/** A live session and whose it is. */
export interface Session<Profile> {
  /** Public name, safe in lists. */
  readonly id: string
  readonly account: Account<Profile>
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Last use, at most an hour behind. */
  readonly usedAt: number
  /** When the password was last given. */
  readonly verifiedAt: number
  /** End, in milliseconds since the epoch, if it is not used again. */
  readonly expiresAt: number
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

/** A new session; the only place where its token can be read. */
export interface NewSession<Profile> {
  readonly token: string
  readonly session: Session<Profile>
}

const TOKEN = /^[A-Za-z0-9_-]{43}$/
/** The last use is written at most so often, in milliseconds: a check normally writes nothing. */
const TOUCH_MS = 3_600_000

export type SessionStore<Profile> = ReturnType<typeof createSessions<Profile>>

export function createSessions<Profile>(core: Core<Profile>) {
  const { db } = core
  const lookup = sessionLookup(db)

  const toSession = (row: SessionRow, now: number): Session<Profile> => ({
    id: row.session_id,
    account: toAccount<Profile>(row, now),
    createdAt: Number(row.session_created_at),
    usedAt: Number(row.used_at),
    verifiedAt: Number(row.verified_at),
    expiresAt: endOf(core, row),
    ip: row.ip ?? undefined,
    userAgent: row.user_agent ?? undefined,
  })

  return {
    /** Opens a session on a connection or transaction of the caller. */
    async open(account: AccountRow, client: ClientInfo, on: AuthDb = db): Promise<NewSession<Profile>> {
      const now = core.now()
      const token = newToken(core.random)
      const row = {
        token_hash: hashToken(token),
        id: Buffer.from(core.random(12)).toString('base64url'),
        account_id: account.id,
        created_at: now,
        used_at: now,
        verified_at: now,
        ip: client.ip ?? null,
        user_agent: client.userAgent?.slice(0, 256) ?? null,
      }
      await on.insertInto('native_auth_sessions').values(row).execute()
      const { id, created_at, ...rest } = row
      const joined = { ...account, ...rest, session_id: id, session_created_at: created_at }
      return { token, session: toSession(joined, now) }
    },

    /** Finds the live session of a token: one statement, and a write at most once an hour. */
    async verify(token: string): Promise<Session<Profile> | undefined> {
      if (!TOKEN.test(token)) return undefined
      const now = core.now()
      const hash = hashToken(token)
      const { rows } = await db.executeQuery<SessionRow>({ ...lookup, parameters: [hash] })
      const row = rows[0]
      if (row === undefined || endOf(core, row) <= now || !mayEnter(core, row, now)) return undefined
      if (now - Number(row.used_at) >= TOUCH_MS) {
        await db
          .updateTable('native_auth_sessions')
          .set({ used_at: now })
          .where('token_hash', '=', hash)
          .where('used_at', '<', now)
          .execute()
      }
      return toSession(row, now)
    },

    /** Lists the live sessions of an account, the latest used first. */
    async list(accountId: number): Promise<readonly Omit<Session<Profile>, 'account'>[]> {
      const now = core.now()
      const rows = await db
        .selectFrom('native_auth_sessions')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('used_at', '>', now - core.idleMs)
        .where('created_at', '>', now - core.absoluteMs)
        .orderBy('used_at', 'desc')
        .execute()
      return rows.map((row) => ({
        id: row.id,
        createdAt: Number(row.created_at),
        usedAt: Number(row.used_at),
        verifiedAt: Number(row.verified_at),
        expiresAt: endOf(core, { ...row, session_created_at: row.created_at }),
        ip: row.ip ?? undefined,
        userAgent: row.user_agent ?? undefined,
      }))
    },

    /** Ends one session of an account. @returns whether there was one. */
    async revoke(accountId: number, sessionId: string, actorId = accountId): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom('native_auth_sessions')
        .where('account_id', '=', accountId)
        .where('id', '=', sessionId)
        .executeTakeFirst()
      if (numDeletedRows === 0n) return false
      await writeAudit(db, { at: core.now(), action: 'session-revoked', actorId, accountId })
      return true
    },

    /** Ends the session of a token, as a logout does. */
    async end(token: string): Promise<void> {
      const row = await db
        .deleteFrom('native_auth_sessions')
        .where('token_hash', '=', hashToken(token))
        .returning('account_id')
        .executeTakeFirst()
      if (row === undefined) return
      await writeAudit(db, { at: core.now(), action: 'logged-out', actorId: row.account_id, accountId: row.account_id })
    },

    /** Ends all sessions of an account, but the one named. */
    async revokeAll(accountId: number, except?: string, on: AuthDb = db): Promise<number> {
      let query = on.deleteFrom('native_auth_sessions').where('account_id', '=', accountId)
      if (except !== undefined) query = query.where('id', '!=', except)
      const { numDeletedRows } = await query.executeTakeFirst()
      return Number(numDeletedRows)
    },

    /** Removes sessions that have ended. */
    async prune(): Promise<number> {
      const now = core.now()
      const { numDeletedRows } = await db
        .deleteFrom('native_auth_sessions')
        .where((where) =>
          where.or([where('used_at', '<=', now - core.idleMs), where('created_at', '<=', now - core.absoluteMs)]),
        )
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

interface SessionRow extends AccountRow {
  readonly session_id: string
  readonly session_created_at: number | string
  readonly used_at: number | string
  readonly verified_at: number | string
  readonly ip: string | null
  readonly user_agent: string | null
}

/** Compiled once: building the statement costs more than running it on SQLite. */
function sessionLookup(db: AuthDb): CompiledQuery<SessionRow> {
  return db
    .selectFrom('native_auth_sessions as s')
    .innerJoin('native_auth_accounts as a', 'a.id', 's.account_id')
    .selectAll('a')
    .select(['s.id as session_id', 's.created_at as session_created_at'])
    .select(['s.used_at', 's.verified_at', 's.ip', 's.user_agent'])
    .where('s.token_hash', '=', '')
    .compile()
}

function endOf(
  core: Pick<Core<unknown>, 'idleMs' | 'absoluteMs'>,
  row: { readonly used_at: number | string; readonly session_created_at: number | string },
): number {
  return Math.min(Number(row.used_at) + core.idleMs, Number(row.session_created_at) + core.absoluteMs)
}

/** Tells whether an account may be used now; asked at each request, so that a block works at once. */
export function mayEnter(core: Pick<Core<unknown>, 'blockedNames'>, row: AccountRow, now: number): boolean {
  return row.is_authorised === 1 && !isBlockedAt(row, now) && !core.blockedNames.has(row.username)
}
