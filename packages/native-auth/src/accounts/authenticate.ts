import { sql } from 'kysely'

import type { Core } from '../core.ts'
import { invalid, NativeAuthError } from '../errors.ts'
import { mayEnter, type ClientInfo } from '../sessions/sessions.ts'
import { writeAudit } from '../store/audit.ts'
import { storeFailure } from '../store/logins.ts'
import type { AccountRow, AuthDb } from '../store/tables.ts'
import { attempt, forget } from '../throttle/limits.ts'
import { readDevice } from '../throttle/device.ts'
import { networkOf } from '../throttle/network.ts'
import { isBlockedAt, toAccount } from './account.ts'
import { canonicalUsername } from './username.ts'

/** Who wants in. */
export interface Credentials {
  readonly username: string
  readonly password: string
  /** Code of the second factor, for callers that ask for everything at once. */
  readonly code?: string | undefined
}

/** The client of an attempt, with the device that an earlier login marked. */
export interface AttemptClient extends ClientInfo {
  /** Mark that an earlier login left with the browser; if it is good, the device has a counter of its own. */
  readonly device?: string | undefined
}

const refused = () => new NativeAuthError('NATIVE_AUTH_INVALID_CREDENTIALS', 'Invalid username or password')

/** The counter that an attempt is under. Hashed, since people type passwords into the name field. */
function counterOf<Profile>(
  core: Core<Profile>,
  username: string,
  row: AccountRow | undefined,
  client: AttemptClient,
): { key: string; isKnown: boolean } {
  const since = row === undefined ? Infinity : Number(row.password_changed_at)
  const device = readDevice(core.keys, client.device, username, core.now(), since)
  const source = device === undefined ? `net ${networkOf(client.ip) ?? 'unknown'}` : `device ${device}`
  return { key: lockPrefix(core, username) + core.keys.sign('throttle', source), isKnown: device !== undefined }
}

/**
 * Checks a password under the limits and returns the account it opens.
 *
 * Each call costs exactly one verification, whoever is named: unknown, blocked, locked and wrong answer alike.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_CREDENTIALS`, `NATIVE_AUTH_PENDING`, `NATIVE_AUTH_BUSY`.
 */
export async function checkPassword<Profile>(
  core: Core<Profile>,
  credentials: Credentials,
  client: AttemptClient,
): Promise<AccountRow> {
  const { db } = core
  const username = canonicalUsername(credentials.username.slice(0, 1024), core.names.map)
  const { limits } = core
  const { row, key, verified } = await core.passwords.gate.run(async () => {
    const found = await db
      .selectFrom('native_auth_accounts')
      .selectAll()
      .where('username', '=', username)
      .executeTakeFirst()
    const { key, isKnown } = counterOf(core, username, found, client)
    // Counted only now, when the hash is about to run: what waits in the queue must not lock the owner out.
    const counted = limits.lockout.hits > 0 ? await attempt(db, key, limits.lockout, core.now()) : ALLOWED
    const ceiling = !isKnown && (found?.failures ?? 0) >= limits.ceiling
    const mayTry = counted.allowed && !ceiling
    const matches = await core.passwords.verify(mayTry ? (found?.password_hash ?? null) : null, credentials.password)
    // A right password of somebody blocked is a failure like a wrong one, in the trail and in the time it takes.
    const ok = mayTry && matches && found !== undefined && !isShutOut(core, found)
    if (!ok) await countFailure(core, found, client, counted)
    if (ok) await upgradeHash(core, found, credentials.password)
    return { row: found, key, verified: ok }
  })
  if (!verified || row === undefined || isShutOut(core, row)) throw refused()
  // The attempt stays counted: a pending account must not serve for trying passwords without end.
  if (!mayEnter(core, row, core.now())) {
    throw new NativeAuthError('NATIVE_AUTH_PENDING', `${row.username} is waiting to be authorised by an administrator`)
  }
  await forget(db, key)
  return row
}

/** Whether somebody is kept out whatever the password; not to be told from a wrong one. */
const isShutOut = <Profile>(core: Core<Profile>, row: AccountRow) =>
  isBlockedAt(row, core.now()) || core.blockedNames.has(row.username)

/** What the counters of all networks and devices of one account begin with. */
const lockPrefix = <Profile>(core: Core<Profile>, username: string) => `lock:${core.keys.sign('throttle', username)}:`

/** Forgets all failures of an account: on all networks and devices, of passwords and of codes. */
export async function forgetFailures<Profile>(core: Core<Profile>, row: AccountRow, on: AuthDb): Promise<void> {
  const prefix = lockPrefix(core, row.username)
  await on.updateTable('native_auth_accounts').set({ failures: 0 }).where('id', '=', row.id).execute()
  await on
    .deleteFrom('native_auth_throttle')
    .where((where) =>
      where.or([
        where('key', 'in', [`code:${row.id}`, `enrol:${row.id}`]),
        where(sql<string>`substr(key, 1, ${prefix.length})`, '=', prefix),
      ]),
    )
    .execute()
}

const ALLOWED = { allowed: true, nextAt: 0, last: false }

async function countFailure<Profile>(
  core: Core<Profile>,
  row: AccountRow | undefined,
  client: AttemptClient,
  counted: { readonly allowed: boolean; readonly last: boolean },
): Promise<void> {
  if (!counted.allowed) return
  const at = core.now()
  const failures = await storeFailure(core.db, row, { at, ip: client.ip })
  if (row === undefined || (!counted.last && failures !== core.limits.ceiling)) return
  await writeAudit(core.db, {
    at,
    action: 'locked',
    accountId: row.id,
    username: row.username,
    ip: client.ip,
    details: { failures: failures ?? 0 },
  })
  await core.tell('locked', toAccount<Profile>(row, at))
}

/** Replaces a weak or imported hash; only while it is still the one that was checked, and never at the login's cost. */
async function upgradeHash<Profile>(core: Core<Profile>, row: AccountRow, password: string): Promise<void> {
  try {
    const stronger = await core.passwords.rehash(row.password_hash, password)
    if (stronger === undefined) return
    await core.db
      .updateTable('native_auth_accounts')
      .set({ password_hash: stronger })
      .where('id', '=', row.id)
      .where('password_hash', '=', row.password_hash)
      .execute()
  } catch (error) {
    core.onError(error)
  }
}

/** Checks the password of somebody already logged in; failures count as at login. */
export async function checkOwnPassword<Profile>(
  core: Core<Profile>,
  username: string,
  password: string,
  client: AttemptClient,
  field: string,
): Promise<AccountRow> {
  try {
    return await checkPassword(core, { username, password }, client)
  } catch (error) {
    if (!(error instanceof NativeAuthError) || error.code !== 'NATIVE_AUTH_INVALID_CREDENTIALS') throw error
    throw invalid(field, 'password_wrong', 'The current password is wrong')
  }
}
