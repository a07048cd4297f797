import type { SoftDelete, SoftDeleteTable } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import { withTrashed } from '../scopes.ts'
import { type Connection, type AnyDb, type ConfiguredTable, locksRows, nameOf, type RowKey, tableOf } from './rows.ts'

/**
 * Makes sure that a row is live and stays so until the transaction ends: call it before inserting a child.
 *
 * A foreign key alone accepts a trashed parent, and does not make an insert wait for a soft delete under way. Outside a
 * transaction the answer may be outdated on arrival.
 *
 * @param db - The transaction that inserts the child.
 * @throws {@link SoftDeleteError} `SOFT_DELETE_PARENT_TRASHED` when a row is trashed or missing.
 * @example
 * await requireLive(trx, trash, 'events', session.event_id)
 */
export async function requireLive<DB, Tables extends string, Table extends ConfiguredTable<DB, Tables>>(
  db: Connection<DB>,
  config: SoftDelete<Tables>,
  table: Table,
  keys: RowKey | readonly RowKey[],
): Promise<void> {
  const any = db as unknown as AnyDb
  const settings = tableOf(config, table)
  const wanted = [...new Set(Array.isArray(keys) ? (keys as readonly RowKey[]) : [keys as RowKey])]
  if (wanted.length === 0) return
  const query = withTrashed(any.selectFrom(nameOf(settings)))
    .select(`${settings.name}.${settings.key} as key`)
    .where(`${settings.name}.${settings.key}`, 'in', wanted)
    .where(`${settings.name}.${settings.column}`, 'is', null)
    .orderBy('key')
  const rows = await (locksRows(any) ? query.forShare() : query).execute()
  if (rows.length < wanted.length) throw parentTrashed(settings)
}

export function parentTrashed(parent: SoftDeleteTable): SoftDeleteError {
  return new SoftDeleteError(
    'SOFT_DELETE_PARENT_TRASHED',
    `Expected a live row of "${parent.name}": it is trashed or gone; restore it first`,
  )
}
