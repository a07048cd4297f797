import { randomUUID } from 'node:crypto'

import type { RawBuilder } from 'kysely'

import type { SoftDelete, SoftDeleteTable } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import { withTrashed } from '../scopes.ts'
import {
  type Connection,
  type AnyDb,
  type ConfiguredTable,
  inTransaction,
  isBelow,
  locksRows,
  momentOf,
  nameOf,
  type RowSelection,
  selected,
  tableOf,
} from './rows.ts'

/** Options of {@link softDelete}. */
export interface SoftDeleteRowsOptions {
  /** Who deletes: written to the `deletedBy` columns. */
  readonly by?: string | number | bigint
  /** Makes the id shared by all rows that one call trashes. @default crypto.randomUUID */
  readonly newBatch?: () => string
}

/** What {@link softDelete} did. */
export interface SoftDeleteOutcome {
  /** Rows of the named table that went from live to trashed. Zero when there were none, or they were trashed before. */
  readonly count: number
  /** Rows trashed by cascade, by the database's table names; tables without any are left out. */
  readonly cascaded: Readonly<Record<string, number>>
  /** What the batch columns of these rows hold; `undefined` when the table has no batch column. */
  readonly batch: string | undefined
}

/** The columns that make a row trashed. */
interface Stamp {
  readonly moment: RawBuilder<unknown>
  readonly batch: string
  readonly by: string | number | bigint | undefined
}

/**
 * Trashes live rows, and what hangs below them by the declared policies, in one transaction.
 *
 * Safe to repeat: a row that is trashed already keeps its first moment, actor and batch. All or nothing, behind a savepoint
 * if `db` is a transaction of the caller. Children that are inserted meanwhile are seen if their insert locks the parent,
 * as {@link requireLive} does.
 *
 * @param selection - A key, several keys, or a condition on the table.
 * @throws {@link SoftDeleteError} `SOFT_DELETE_RESTRICTED` when live children stand behind a `restrict` relation,
 * `SOFT_DELETE_NOT_CONFIGURED`.
 * @example
 * await softDelete(db, trash, 'events', 7, { by: user.id })
 */
export async function softDelete<DB, Tables extends string, Table extends ConfiguredTable<DB, Tables>>(
  db: Connection<DB>,
  config: SoftDelete<Tables>,
  table: Table,
  selection: RowSelection<DB, Table>,
  options: SoftDeleteRowsOptions = {},
): Promise<SoftDeleteOutcome> {
  const root = tableOf(config, table)
  return inTransaction(db, 'delete', async (trx) => {
    const stamp: Stamp = { moment: momentOf(trx, config), batch: (options.newBatch ?? randomUUID)(), by: options.by }
    const count = await trashRoot(trx, root, selection, stamp)
    const cascaded = count === 0 ? new Map<SoftDeleteTable, number>() : await cascade(trx, root, stamp)
    if (count > 0) await settleOthers(trx, [root, ...cascaded.keys()], stamp)
    const batch = root.batch === undefined ? undefined : stamp.batch
    return { count, cascaded: Object.fromEntries([...cascaded].map(([{ name }, rows]) => [name, rows])), batch }
  })
}

async function trashRoot(trx: AnyDb, root: SoftDeleteTable, selection: unknown, stamp: Stamp): Promise<number> {
  const condition = selected(root, selection)
  if (locksRows(trx) && (typeof selection === 'function' || Array.isArray(selection))) {
    // Several rows: locked in key order, so that two overlapping calls wait for each other instead of deadlocking.
    await withTrashed(trx.selectFrom(nameOf(root)))
      .select(`${root.name}.${root.key}`)
      .where(condition)
      .where(`${root.name}.${root.column}`, 'is', null)
      .orderBy(`${root.name}.${root.key}`)
      .forUpdate()
      .execute()
  }
  const result = await withTrashed(trx.updateTable(nameOf(root)))
    .set(stampOf(root, stamp))
    .where(condition)
    .where(`${root.name}.${root.column}`, 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

function stampOf(table: SoftDeleteTable, { moment, batch, by }: Stamp): Record<string, unknown> {
  return {
    [table.column]: moment,
    ...(table.batch !== undefined && { [table.batch]: batch }),
    ...(table.deletedBy !== undefined && by !== undefined && { [table.deletedBy]: by }),
  }
}

/** Follows the `cascade` relations until nothing more is trashed; ends, since each row is trashed at most once. */
async function cascade(trx: AnyDb, root: SoftDeleteTable, stamp: Stamp): Promise<Map<SoftDeleteTable, number>> {
  const counts = new Map<SoftDeleteTable, number>()
  const queue = new Set([root])
  for (const parent of queue) {
    queue.delete(parent)
    for (const relation of parent.children.filter(({ onDelete }) => onDelete === 'cascade')) {
      const { child } = relation
      const result = await withTrashed(trx.updateTable(nameOf(child)))
        .set(stampOf(child, stamp))
        .where(isBelow(relation, stamp.batch))
        .where(`${child.name}.${child.column}`, 'is', null)
        .executeTakeFirst()
      const rows = Number(result.numUpdatedRows)
      if (rows === 0) continue
      counts.set(child, (counts.get(child) ?? 0) + rows)
      queue.add(child)
    }
  }
  return counts
}

/** Once the cascade has taken what it takes, the other policies apply to the children that are still live. */
async function settleOthers(trx: AnyDb, parents: readonly SoftDeleteTable[], { batch }: Stamp): Promise<void> {
  const relations = parents.flatMap(({ children }) => children)
  for (const relation of relations.filter(({ onDelete }) => onDelete === 'restrict')) {
    const { child, parent } = relation
    const blocking = await withTrashed(trx.selectFrom(nameOf(child)))
      .select(`${child.name}.${child.key} as key`)
      .where(isBelow(relation, batch))
      .where(`${child.name}.${child.column}`, 'is', null)
      .limit(1)
      .executeTakeFirst()
    if (blocking === undefined) continue
    throw new SoftDeleteError(
      'SOFT_DELETE_RESTRICTED',
      `Rows of "${parent.name}" still have live rows of "${child.name}": delete or move those first`,
    )
  }
  for (const relation of relations.filter(({ onDelete }) => onDelete === 'setNull')) {
    await withTrashed(trx.updateTable(nameOf(relation.child)))
      .set({ [relation.column]: null })
      .where(isBelow(relation, batch))
      .where(`${relation.child.name}.${relation.child.column}`, 'is', null)
      .execute()
  }
}
