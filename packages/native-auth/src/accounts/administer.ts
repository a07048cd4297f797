import type { Core } from '../core.ts'
import { invalid, NativeAuthError } from '../errors.ts'
import type { Hooks } from '../options.ts'
import { type AuditAction, writeAudit } from '../store/audit.ts'
import { type AccountRow, type AccountUpdate, asProved, type AuthDb } from '../store/tables.ts'
import { type Account, toAccount } from './account.ts'
import { canonicalUsername } from './username.ts'

/** Who asks for a change; `undefined` for the operator's own code and the command line. */
export interface Actor {
  readonly actorId?: number | undefined
  readonly ip?: string | undefined
}

/** An account by its number or by any spelling of its name. */
export type AccountRef = number | string

/** Finds the row of an account. */
export function findRow<Profile>(
  core: Core<Profile>,
  ref: AccountRef,
  on: AuthDb = core.db,
): Promise<AccountRow | undefined> {
  const query = on.selectFrom('native_auth_accounts').selectAll()
  return (
    typeof ref === 'number'
      ? query.where('id', '=', ref)
      : query.where('username', '=', canonicalUsername(ref, core.names.map))
  ).executeTakeFirst()
}

/** Finds the row of an account. @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`. */
export async function needRow<Profile>(
  core: Core<Profile>,
  ref: AccountRef,
  on: AuthDb = core.db,
): Promise<AccountRow> {
  const row = await findRow(core, ref, on)
  if (row === undefined) throw new NativeAuthError('NATIVE_AUTH_NOT_FOUND', 'There is no such account')
  return row
}

export interface Change {
  readonly set: AccountUpdate
  readonly action: AuditAction
  readonly hook: keyof Hooks<never>
  /** The account loses access: its sessions and links end with the change. */
  readonly ends?: boolean
  /** The change takes an administrator away; the last one stays. */
  readonly demotes?: boolean
  /** The account as its owner proved to be it; a password or second factor changed since then refuses. */
  readonly proved?: AccountRow
  /** What else belongs to the change. */
  readonly also?: (tx: AuthDb, accountId: number) => Promise<unknown>
  readonly details?: Record<string, string | number | boolean>
}

/** Applies one change to one account with its audit line, all or nothing, then tells the hook. */
export async function change<Profile>(
  core: Core<Profile>,
  ref: AccountRef,
  actor: Actor,
  plan: Change,
): Promise<Account<Profile>> {
  const now = core.now()
  const found = await needRow(core, ref)
  const row = await core.db.transaction().execute(async (tx) => {
    // A transaction starts with a write: SQLite refuses to turn a stale reader into a writer.
    if (plan.demotes === true) await oneDemotionAtATime(tx)
    let update = tx.updateTable('native_auth_accounts').set(plan.set).where('id', '=', found.id)
    if (plan.proved !== undefined) update = update.where(asProved(plan.proved))
    const changed = await update.returningAll().executeTakeFirst()
    if (changed === undefined && plan.proved !== undefined) throw changedMeanwhile()
    if (changed === undefined) throw new NativeAuthError('NATIVE_AUTH_NOT_FOUND', 'There is no such account')
    if (plan.demotes === true && found.is_admin === 1) await keepAnAdmin(core, tx)
    if (plan.ends === true) await endAccess(tx, found.id)
    await plan.also?.(tx, found.id)
    await writeAudit(tx, {
      at: now,
      action: plan.action,
      accountId: found.id,
      username: found.username,
      ...actor,
      ...(plan.details === undefined ? {} : { details: plan.details }),
    })
    return changed
  })
  const account = toAccount<Profile>(row, now)
  await core.tell(plan.hook, account, actor.actorId)
  return account
}

const changedMeanwhile = () => invalid('password', 'password_wrong', 'The password was changed meanwhile')

/** Ends sessions, challenges and links of an account. */
export async function endAccess(tx: AuthDb, accountId: number): Promise<void> {
  await tx.deleteFrom('native_auth_sessions').where('account_id', '=', accountId).execute()
  await tx.deleteFrom('native_auth_tokens').where('account_id', '=', accountId).execute()
}

/** @throws {@link NativeAuthError} `NATIVE_AUTH_LAST_ADMIN` when no administrator would be left. */
async function keepAnAdmin<Profile>(core: Core<Profile>, tx: AuthDb): Promise<void> {
  const left = await tx
    .selectFrom('native_auth_accounts')
    .select((select) => select.fn.countAll<number | string>().as('count'))
    .where('is_admin', '=', 1)
    .where('is_authorised', '=', 1)
    .where((where) => where.or([where('is_blocked', '=', 0), where('blocked_until', '<=', core.now())]))
    .executeTakeFirstOrThrow()
  if (Number(left.count) > 0) return
  throw new NativeAuthError('NATIVE_AUTH_LAST_ADMIN', 'The last administrator cannot be taken away')
}

/** Two administrators who demote each other at once would each see the other one left. */
async function oneDemotionAtATime(tx: AuthDb): Promise<void> {
  await tx
    .insertInto('native_auth_throttle')
    .values({ key: 'demotion', hits: 0, denied: 0, blocked_until: 0, expires_at: 0 })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ hits: 0 }))
    .execute()
}
