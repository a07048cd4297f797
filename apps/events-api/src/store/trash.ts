import {
  defineSoftDelete,
  hardDelete,
  onlyTrashed,
  prune,
  restore,
  type ScopedQuery,
  type SoftDelete,
  softDelete,
  type TableOptions,
  withTrashed,
} from '@org/soft-delete'

import type { Actor, Database, Resource, Row, Tx } from '../resources/resource.ts'
import { columnsOf } from './columns.ts'

export type SoftDeletion = SoftDelete

/**
 * Declares soft deletion for the tables that have a trash. What belongs to an event goes into the trash with it, and
 * comes back with it.
 *
 * @param retentionDays - Days that a row stays in the trash before the trash empties itself.
 */
export function createSoftDeletion(resources: readonly Resource[], retentionDays: number): SoftDeletion {
  const tables: Record<string, TableOptions> = {}
  for (const resource of resources) {
    if (!resource.softDelete) continue
    const { table, eventColumn } = resource
    const isPart = eventColumn !== undefined && eventColumn !== 'id'
    tables[table] = {
      deletedBy: 'deleted_by',
      batch: 'deleted_batch',
      retentionDays,
      ...(isPart && { parents: { [eventColumn]: { table: 'events', onDelete: 'cascade' } } }),
    }
  }
  return defineSoftDelete({ tables })
}

/** Lets a read see trashed rows beside live ones. */
export function withTrashedRows<Query extends ScopedQuery>(query: Query): Query {
  return withTrashed(query)
}

/** Lets a read see trashed rows and no others. */
export function onlyTrashedRows<Query extends ScopedQuery>(query: Query): Query {
  return onlyTrashed(query)
}

/** Puts a row into the trash, or removes it for good: when told to, and where its resource has no trash. */
export async function removeRow(
  tx: Tx,
  softDeletion: SoftDeletion,
  resource: Resource,
  row: Row,
  how: { readonly permanent: boolean; readonly actor: Actor },
): Promise<void> {
  const id = row['id'] as number
  if (!softDeletion.tables.has(resource.table)) await tx.deleteFrom(resource.table).where('id', '=', id).execute()
  else if (how.permanent || !resource.softDelete) await hardDelete(tx, softDeletion, resource.table, id)
  else await softDelete(tx, softDeletion, resource.table, id, { by: `user:${how.actor.id}` })
}

/**
 * Takes a row out of the trash, with what went there together with it.
 *
 * @throws SoftDeleteError when a live row has its place, or its parent is in the trash.
 */
export async function restoreRow(tx: Tx, softDeletion: SoftDeletion, resource: Resource, row: Row): Promise<Row> {
  await restore(tx, softDeletion, resource.table, row['id'] as number)
  return tx
    .selectFrom(resource.table)
    .select([...columnsOf(resource)])
    .where('id', '=', row['id'])
    .executeTakeFirstOrThrow()
}

/** Removes for good what lay in the trash longer than its retention; in batches, safe to stop and to repeat. */
export async function emptyTrash(db: Database, softDeletion: SoftDeletion, signal: AbortSignal): Promise<void> {
  await prune(db, softDeletion, { signal })
}
