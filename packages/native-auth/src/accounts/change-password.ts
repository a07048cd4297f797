import type { Core } from '../core.ts'
import { invalid } from '../errors.ts'
import { writeAudit } from '../store/audit.ts'
import { type AccountRow, asProved, type AuthDb } from '../store/tables.ts'
import { toAccount } from './account.ts'
import { forgetFailures } from './authenticate.ts'
import { type Actor, endAccess } from './administer.ts'

/**
 * Stores a new password and ends all sessions and links that the old one opened.
 *
 * @param options - `unlock`: forget failures, as a reset does.
 * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT`, `NATIVE_AUTH_BREACH_CHECK_FAILED`, `NATIVE_AUTH_BUSY`.
 */
export async function storePassword<Profile>(
  core: Core<Profile>,
  row: AccountRow,
  password: string,
  options: {
    readonly field: string
    readonly action: 'password-changed' | 'password-reset'
    readonly unlock?: boolean
    readonly confirmation?: string | undefined
    /** Further proof, asked for once the new password is good: a code that is used up for nothing is a code lost. */
    readonly prove?: () => Promise<void>
    /** What must hold in the transaction that stores the password. */
    readonly before?: (tx: AuthDb) => Promise<void>
    /** What comes with the new password, or not at all. */
    readonly after?: (tx: AuthDb) => Promise<void>
  },
  actor: Actor,
): Promise<void> {
  checkConfirmation(password, options.confirmation, `${options.field}_confirmation`)
  await core.passwords.check(password, { username: row.username, email: row.email ?? undefined }, options.field)
  await options.prove?.()
  const password_hash = await core.passwords.hash(password)
  const now = core.now()
  await core.db.transaction().execute(async (tx) => {
    let update = tx
      .updateTable('native_auth_accounts')
      .set({ password_hash, password_changed_at: now })
      .where('id', '=', row.id)
    // Whoever proved the old password must not overwrite one that was set meanwhile.
    if (options.action === 'password-changed') {
      update = update.where(asProved(row))
    }
    const { numUpdatedRows } = await update.executeTakeFirst()
    if (numUpdatedRows === 0n) throw invalid(options.field, 'password_wrong', 'The password was changed meanwhile')
    // After the account: all that change one take its row first, or two of them could wait for each other.
    await options.before?.(tx)
    if (options.unlock === true) await forgetFailures(core, row, tx)
    await endAccess(tx, row.id)
    await writeAudit(tx, { at: now, action: options.action, accountId: row.id, username: row.username, ...actor })
    await options.after?.(tx)
  })
  await core.tell('passwordChanged', toAccount<Profile>(row, now), actor.actorId)
}

/** @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT` when the password typed again is another one. */
export function checkConfirmation(password: string, confirmation: string | undefined, field: string): void {
  if (confirmation === undefined || confirmation === password) return
  throw invalid(field, 'password_mismatch', 'The two passwords differ')
}
