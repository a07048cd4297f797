import type { DeleteQueryBuilder, DeleteResult } from 'kysely'

import type { AuthDb, AuthTables } from './tables.ts'

/** Number that no account has: without a cap the statement finds nothing. */
const NOBODY = 0

/**
 * Ends what an account has beyond `keep` sessions, those that were not used for longest first.
 *
 * Runs before the new one is stored, which therefore is never among them. Logins that run in parallel on Postgres do not
 * see each other's and may pass the cap together; the next login ends what is too much.
 */
export function endOldest(
  db: Pick<AuthDb, 'deleteFrom'>,
  accountId: number,
  keep: number | undefined,
): DeleteQueryBuilder<AuthTables, 'native_auth_sessions', DeleteResult> {
  return db.deleteFrom('native_auth_sessions').where('token_hash', 'in', (build) =>
    build
      .selectFrom('native_auth_sessions as s')
      .select('s.token_hash')
      .where('s.account_id', '=', keep === undefined ? NOBODY : accountId)
      .orderBy('s.used_at', 'desc')
      .orderBy('s.created_at', 'desc')
      .orderBy('s.token_hash')
      // SQLite takes no offset without a limit.
      .limit(1_000_000)
      .offset(keep ?? 0),
  )
}
