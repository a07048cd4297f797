import { createHash } from 'node:crypto'

import type { Core } from '../core.ts'
import { NativeAuthError } from '../errors.ts'
import { writeAudit } from '../store/audit.ts'
import type { AccountRow, AuthDb } from '../store/tables.ts'
import { attempt, forget } from '../throttle/limits.ts'
import { base32, fromBase32, matchStep } from './totp.ts'

/** How many recovery codes there are. */
const RECOVERY_CODES = 10
/** 120 bits: enough that a fast hash of the code cannot be searched. */
const RECOVERY_BYTES = 15

export const wrongCode = (): NativeAuthError =>
  new NativeAuthError('NATIVE_AUTH_INVALID_CODE', 'This code is not valid')

const plain = (code: string) => code.toUpperCase().replace(/[\s-]/g, '')
const hashCode = (accountId: number, code: string) =>
  createHash('sha256')
    .update(`recovery ${accountId} ${plain(code)}`)
    .digest('base64url')

/** Opens the stored secret of an account. */
function openSecret<Profile>(core: Core<Profile>, row: AccountRow): Buffer | undefined {
  const text = row.totp_secret === null ? undefined : core.keys.open(`totp ${row.id}`, row.totp_secret)
  return text === undefined ? undefined : fromBase32(text)
}

/**
 * Checks a code of the authenticator or a recovery code, and uses it up.
 *
 * Tries are counted before they are made, over both kinds together.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_CODE` also while the account is out of tries.
 */
export async function spendCode<Profile>(
  core: Core<Profile>,
  row: AccountRow,
  code: string,
  ip: string | undefined,
): Promise<void> {
  const { db } = core
  const key = `code:${row.id}`
  if (core.limits.lockout.hits > 0) {
    const counted = await attempt(db, key, core.limits.lockout, core.now())
    if (!counted.allowed) throw wrongCode()
  }
  const isTotp = /^\d{6}$/.test(plain(code))
  const spent = isTotp ? await spendTotp(core, row, plain(code)) : await spendRecoveryCode(db, row.id, code)
  if (!spent) {
    await writeAudit(db, {
      at: core.now(),
      action: 'login-failed',
      accountId: row.id,
      username: row.username,
      ip,
      details: { factor: 2 },
    })
    throw wrongCode()
  }
  await forget(db, key)
  if (isTotp) return
  await writeAudit(db, { at: core.now(), action: 'recovery-code-used', accountId: row.id, username: row.username, ip })
}

/** Marks the step as used in the same statement that checks it: a code works once, also twice at once. */
async function spendTotp<Profile>(core: Core<Profile>, row: AccountRow, code: string): Promise<boolean> {
  const secret = openSecret(core, row)
  const step = secret === undefined ? undefined : matchStep(secret, code, core.now(), row.totp_step)
  if (step === undefined) return false
  const { numUpdatedRows } = await core.db
    .updateTable('native_auth_accounts')
    .set({ totp_step: step })
    .where('id', '=', row.id)
    .where('has_totp', '=', 1)
    .where('totp_step', '<', step)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

async function spendRecoveryCode(db: AuthDb, accountId: number, code: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('native_auth_recovery_codes')
    .where('account_id', '=', accountId)
    .where('code_hash', '=', hashCode(accountId, code))
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** Makes new recovery codes, in groups for reading; all earlier ones stop working. */
export async function renewRecoveryCodes<Profile>(
  core: Core<Profile>,
  tx: AuthDb,
  accountId: number,
): Promise<readonly string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, () =>
    base32(core.random(RECOVERY_BYTES)).replace(/(.{6})(?=.)/g, '$1-'),
  )
  await tx.deleteFrom('native_auth_recovery_codes').where('account_id', '=', accountId).execute()
  await tx
    .insertInto('native_auth_recovery_codes')
    .values(codes.map((code) => ({ account_id: accountId, code_hash: hashCode(accountId, code) })))
    .execute()
  return codes
}
