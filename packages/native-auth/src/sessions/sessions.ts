import type { CompiledQuery } from 'kysely'

import { type Account, isBlockedAt, toAccount } from '../accounts/account.ts'
import type { Core } from '../core.ts'
import { hashToken, newToken } from '../internal/secrets.ts'
import { writeAudit } from '../store/audit.ts'
import { endOldest } from '../store/session-cap.ts'
import { ACCOUNT_COLUMNS, type AccountRow, type AccountView, type AuthDb, type NewSessionRow } from '../store/tables.ts'

/** Where a request comes from, as the adapter knows it. */
export interface ClientInfo {
  /** Address of the client, from the socket or from a proxy that the operator trusts. */
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
}

/** A live session. */
export interface SessionSummary {
  /** Public name, safe in lists. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Last use, at most an hour behind. */
  readonly usedAt: number
  /** End, in milliseconds since the epoch, if it is not used again. */
  readonly expiresAt: number
  readonly ip: string | undefined
  readonly userAgent: string | undefined
}

/** A live session and whose it is. */
export interface Session<Profile> extends SessionSummary {
  readonly account: Account<Profile>
}

/** A new session; the only place where its token can be read. */
export interface NewSession<Profile> {
  readonly token: string
  readonly session: Session<Profile>
}

const TOKEN = /^[A-Za-z0-9_-]{43}$/
const ID = /^[A-Za-z0-9_-]{16}$/
/** The last use is written at most so often, in milliseconds: a check normally writes nothing. */
const TOUCH_MS = 3_600_000

/** Looks sessions up and ends them. */
export interface SessionStore<Profile> {
  /** Finds the live session of a token: one statement, and a write at most once an hour. */
  verify(token: string): Promise<Session<Profile> | undefined>
  /** Lists the live sessions of an account, the latest used first. */
  list(accountId: number): Promise<readonly SessionSummary[]>
  /** Ends one session of an account. @returns whether there was one. */
  revoke(accountId: number, sessionId: string, actorId?: number): Promise<boolean>
  /** Ends the session of a token, as a logout does. */
  end(token: string): Promise<void>
}

/** Sessions, with what only this package does with them. */
export interface Sessions<Profile> extends SessionStore<Profile> {
  /** Makes a session without storing it. */
  make(account: AccountRow, client: ClientInfo): { readonly row: NewSessionRow; readonly opened: NewSession<Profile> }
  /** Makes and stores a session. */
  open(account: AccountRow, client: ClientInfo, on?: AuthDb): Promise<NewSession<Profile>>
  /** Ends all sessions of an account. @returns how many there were. */
  endAll(accountId: number): Promise<number>
  /** Removes sessions that have ended. @returns how many. */
  prune(): Promise<number>
}

export function createSessions<Profile>(core: Core<Profile>): Sessions<Profile> {
  const { db } = core
  const lookup = sessionLookup(db)

  const toSession = (row: SessionRow, now: number): Session<Profile> => ({
    id: row.session_id,
    account: toAccount<Profile>(row, now),
    createdAt: Number(row.session_created_at),
    usedAt: Number(row.used_at),
    expiresAt: endOf(core, row),
    ip: row.ip ?? undefined,
    userAgent: row.user_agent ?? undefined,
  })

  const make: Sessions<Profile>['make'] = (account, client) => {
    const now = core.now()
    const token = newToken(core.random)
    const row = {
      token_hash: hashToken(token),
      id: Buffer.from(core.random(12)).toString('base64url'),
      account_id: account.id,
      created_at: now,
      used_at: now,
      ip: client.ip ?? null,
      user_agent: client.userAgent?.slice(0, 256) ?? null,
    }
    const { id, created_at, ...rest } = row
    const joined = { ...account, ...rest, session_id: id, session_created_at: created_at }
    return { row, opened: { token, session: toSession(joined, now) } }
  }

  return {
    make,

    async open(account, client, on = db) {
      const { row, opened } = make(account, client)
      await endOldest(on, account.id, core.sessionsBeside).execute()
      await on.insertInto('native_auth_sessions').values(row).execute()
      return opened
    },

    async verify(token) {
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

    async list(accountId) {
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
        expiresAt: endOf(core, { ...row, session_created_at: row.created_at }),
        ip: row.ip ?? undefined,
        userAgent: row.user_agent ?? undefined,
      }))
    },

    async revoke(accountId, sessionId, actorId = accountId) {
      // What cannot be one is not asked for: Postgres would fail at a NUL.
      if (!ID.test(sessionId)) return false
      const { numDeletedRows } = await db
        .deleteFrom('native_auth_sessions')
        .where('account_id', '=', accountId)
        .where('id', '=', sessionId)
        .executeTakeFirst()
      if (numDeletedRows === 0n) return false
      await writeAudit(db, { at: core.now(), action: 'session-revoked', actorId, accountId })
      return true
    },

    async end(token) {
      const row = await db
        .deleteFrom('native_auth_sessions')
        .where('token_hash', '=', hashToken(token))
        .returning('account_id')
        .executeTakeFirst()
      if (row === undefined) return
      await writeAudit(db, { at: core.now(), action: 'logged-out', actorId: row.account_id, accountId: row.account_id })
    },

    async endAll(accountId) {
      const { numDeletedRows } = await db
        .deleteFrom('native_auth_sessions')
        .where('account_id', '=', accountId)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },

    async prune() {
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

interface SessionRow extends AccountView {
  readonly session_id: string
  readonly session_created_at: number | string
  readonly used_at: number | string
  readonly ip: string | null
  readonly user_agent: string | null
}

/** Compiled once: building the statement costs more than running it on SQLite. */
function sessionLookup(db: AuthDb): CompiledQuery<SessionRow> {
  return db
    .selectFrom('native_auth_sessions as s')
    .innerJoin('native_auth_accounts as a', 'a.id', 's.account_id')
    .select(ACCOUNT_COLUMNS.map((column) => `a.${column}` as const))
    .select(['s.id as session_id', 's.created_at as session_created_at'])
    .select(['s.used_at', 's.ip', 's.user_agent'])
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
export function mayEnter(core: Pick<Core<unknown>, 'blockedNames'>, row: AccountView, now: number): boolean {
  return row.is_authorised === 1 && !isBlockedAt(row, now) && !core.blockedNames.has(row.username)
}
