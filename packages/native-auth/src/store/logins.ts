import { sql } from 'kysely'

import { auditRow, writeAudit } from './audit.ts'
import { columnsOf, isPostgres, valuesOf } from './dialect.ts'
import { endOldest } from './session-cap.ts'
import { type AccountRow, asProved, type AuthDb, type NewSessionRow } from './tables.ts'

/** When and from where somebody tried. */
interface Attempt {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly ip: string | undefined
}

/** What a login proved, and the session that it opens. */
interface Login extends Attempt {
  readonly account: AccountRow
  readonly session: NewSessionRow
  /** Sessions that the account may keep beside it; `undefined` for all. */
  readonly keep: number | undefined
}

// On Postgres one statement each: of its time a login spends most in round trips, and a transaction would hold the
// account's row over four of them. SQLite knows no such statement, and needs none.

/**
 * Notes a login and stores its session, all or nothing.
 *
 * @returns whether what was proved is still asked for: a password or second factor changed meanwhile, or a block, has
 *   ended all sessions, and none may follow.
 */
export function storeLogin(db: AuthDb, login: Login): Promise<boolean> {
  return isPostgres(db)
    ? storeLoginAtOnce(db, login)
    : db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await markLogin(tx, login).executeTakeFirst()
        if (numUpdatedRows === 0n) return false
        await writeAudit(tx, entryOf(login))
        await endOldest(tx, login.account.id, login.keep).execute()
        await tx.insertInto('native_auth_sessions').values(login.session).execute()
        return true
      })
}

async function storeLoginAtOnce(db: AuthDb, login: Login): Promise<boolean> {
  const { account, keep, session } = login
  const entry = auditRow(entryOf(login))
  const row = await db
    .with('proved', (query) => markLogin(query, login).returning('id'))
    .with('noted', (query) =>
      query
        .insertInto('native_auth_audit')
        .columns(columnsOf(entry))
        .expression((build) => build.selectFrom('proved').select(valuesOf(entry))),
    )
    .with('ended', (query) => endOldest(query, account.id, keep).where(sql<boolean>`exists (select 1 from proved)`))
    .insertInto('native_auth_sessions')
    .columns(columnsOf(session))
    .expression((build) => build.selectFrom('proved').select(valuesOf(session)))
    .returning('account_id')
    .executeTakeFirst()
  return row !== undefined
}

function markLogin(db: Pick<AuthDb, 'updateTable'>, { account, at }: Login) {
  return db
    .updateTable('native_auth_accounts')
    .set({ last_login_at: at, failures: 0 })
    .where(asProved(account))
    .where('is_authorised', '=', 1)
    .where((where) => where.or([where('is_blocked', '=', 0), where('blocked_until', '<=', at)]))
}

const entryOf = ({ account: { id, username }, at, ip }: Login) =>
  ({ at, action: 'logged-in', actorId: id, accountId: id, username, ip }) as const

/**
 * Notes a failure and counts it for the account, all or nothing.
 *
 * For a name that nobody has it makes the same statements: the time they take must not tell who is known.
 *
 * @returns failures in a row over all networks; `undefined` when there is no such account.
 */
export function storeFailure(
  db: AuthDb,
  account: AccountRow | undefined,
  { at, ip }: Attempt,
): Promise<number | undefined> {
  const entry = auditRow({ at, action: 'login-failed', accountId: account?.id, username: account?.username, ip })
  const count = (on: Pick<AuthDb, 'updateTable'>) =>
    on
      .updateTable('native_auth_accounts')
      .set((update) => ({ failures: update('failures', '+', 1) }))
      .where('id', '=', account?.id ?? NOBODY)
      .returning('failures')
  if (isPostgres(db)) {
    return db
      .with('counted', count)
      .insertInto('native_auth_audit')
      .values(entry)
      .returning((build) => build.selectFrom('counted').select('failures').as('failures'))
      .executeTakeFirst()
      .then((row) => row?.failures ?? undefined)
  }
  return db.transaction().execute(async (tx) => {
    const counted = await count(tx).executeTakeFirst()
    await tx.insertInto('native_auth_audit').values(entry).execute()
    return counted?.failures
  })
}

/** Number that no account has. */
const NOBODY = 0
