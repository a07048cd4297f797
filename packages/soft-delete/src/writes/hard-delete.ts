import type { SoftDelete } from '../config.ts'
import { permanently } from '../scopes.ts'
import {
  type Connection,
  type AnyDb,
  type ConfiguredTable,
  nameOf,
  type RowSelection,
  selected,
  tableOf,
} from './rows.ts'

/**
 * Removes rows for good, live and trashed alike. The database's ON DELETE actions run, on trashed children too; the
 * policies of the configuration do not.
 *
 * @param selection - A key, several keys, or a condition on the table.
 * @returns Rows of the named table that were removed, without what the database cascaded to.
 * @throws {@link SoftDeleteError} `SOFT_DELETE_NOT_CONFIGURED`.
 * @example
 * await hardDelete(db, trash, 'events', 7)
 */
export async function hardDelete<DB, Tables extends string, Table extends ConfiguredTable<DB, Tables>>(
  db: Connection<DB>,
  config: SoftDelete<Tables>,
  table: Table,
  selection: RowSelection<DB, Table>,
): Promise<{ readonly count: number }> {
  const settings = tableOf(config, table)
  const result = await permanently((db as unknown as AnyDb).deleteFrom(nameOf(settings)))
    .where(selected(settings, selection))
    .executeTakeFirst()
  return { count: Number(result.numDeletedRows) }
}
