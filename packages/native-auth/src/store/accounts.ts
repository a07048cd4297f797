import { auditRow, type NewAuditEntry, writeAudit } from './audit.ts'
import { columnsOf, isPostgres, valuesOf } from './dialect.ts'
import type { AccountRow, AuthDb, NewAccountRow } from './tables.ts'

/**
 * Stores a new account and notes it, both or neither.
 *
 * @returns `undefined` when the name is taken: the unique index decides between two who come at once.
 */
export async function storeAccount(
  db: AuthDb,
  account: NewAccountRow,
  entry: NewAuditEntry,
): Promise<AccountRow | undefined> {
  const insert = (on: Pick<AuthDb, 'insertInto'>) =>
    on
      .insertInto('native_auth_accounts')
      .values(account)
      .onConflict((conflict) => conflict.column('username').doNothing())
      .returningAll()
  if (isPostgres(db)) {
    const { account_id: _, ...note } = auditRow(entry)
    return db
      .with('made', insert)
      .with('noted', (query) =>
        query
          .insertInto('native_auth_audit')
          .columns([...columnsOf(note), 'account_id'])
          .expression((build) => build.selectFrom('made').select([...valuesOf(note), 'made.id as account_id'])),
      )
      .selectFrom('made')
      .selectAll()
      .executeTakeFirst()
  }
  return db.transaction().execute(async (tx) => {
    const row = await insert(tx).executeTakeFirst()
    if (row !== undefined) await writeAudit(tx, { ...entry, accountId: row.id })
    return row
  })
}
