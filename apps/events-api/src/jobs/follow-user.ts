import type { Accounts } from '../accounts.ts'
import type { Change, Database } from '../resources/resource.ts'

/** Why an account is blocked whose user is in the trash; a block for another reason is none of ours. */
const REASON = 'The user is in the trash'

/**
 * Lets the account follow its user into the trash, back, and out of it. Safe to repeat, and in any order: what counts is
 * where the user is now, except that a deletion is final.
 */
export async function followUser(
  accounts: Accounts,
  db: Database,
  { userId, change }: { readonly userId: number; readonly change: Change },
): Promise<void> {
  const account = await accounts.accounts.get(userId)
  if (change === 'deleted') {
    if (account !== undefined) await remove(accounts, userId)
    // A request that was on its way may have written the row again.
    await db.withoutPlugins().deleteFrom('users').where('id', '=', userId).execute()
    return
  }
  const user = await readUser(db, userId)
  if (account === undefined || user === undefined) return
  if (user['deleted_at'] !== null && !account.isBlocked) await accounts.accounts.block(userId, { reason: REASON })
  if (user['deleted_at'] === null && account.blockedReason === REASON) await accounts.accounts.unblock(userId)
}

/** Removes the accounts whose users left the trash when it emptied itself. Safe to stop and to repeat. */
export async function removeAccounts(accounts: Accounts, db: Database, signal: AbortSignal): Promise<void> {
  const trashed: number[] = []
  for (let offset = 0; ; offset = trashed.length) {
    const page = await accounts.accounts.list({ state: 'blocked', offset, limit: 200 })
    if (page.accounts.length === 0) break
    trashed.push(...page.accounts.map(({ id, blockedReason }) => (blockedReason === REASON ? id : 0)))
  }
  for (const userId of trashed) {
    signal.throwIfAborted()
    if (userId !== 0 && (await readUser(db, userId)) === undefined) {
      await followUser(accounts, db, { userId, change: 'deleted' })
    }
  }
}

/** Two may remove the same account at once; whoever comes second fails over something that is already so. */
async function remove(accounts: Accounts, userId: number): Promise<void> {
  try {
    await accounts.accounts.remove(userId)
  } catch (error) {
    if ((await accounts.accounts.get(userId)) !== undefined) throw error
  }
}

function readUser(db: Database, id: number) {
  return db.withoutPlugins().selectFrom('users').select('deleted_at').where('id', '=', id).executeTakeFirst()
}
