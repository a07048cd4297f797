import { randomUUID } from 'node:crypto'

import type { Relation, SoftDelete, SoftDeleteTable } from '../config.ts'
import { withTrashed } from '../scopes.ts'
import { mapConflict } from './conflict.ts'
import { parentTrashed } from './require-live.ts'
import {
  type Connection,
  type AnyDb,
  type AnyEb,
  chunksOf,
  type ConfiguredTable,
  inTransaction,
  isBelow,
  locksRows,
  nameOf,
  type RowSelection,
  selected,
  tableOf,
} from './rows.ts'

/** What {@link restore} did. */
export interface RestoreOutcome {
  /** Rows of the named table that went from trashed to live. Zero when there were none. */
  readonly count: number
  /** Rows restored below them, by the database's table names; tables without any are left out. */
  readonly cascaded: Readonly<Record<string, number>>
}

/** A row to restore: its key, the batch that trashed it, and its foreign keys by column. */
type TrashedRow = Readonly<Record<string, unknown>>

/**
 * Makes trashed rows live again, and exactly those below them that the same {@link softDelete} trashed.
 *
 * A child that was trashed on its own before stays trashed. One that hangs below a second parent, still trashed, stays
 * trashed and will return with that parent. All or nothing, behind a savepoint if `db` is a transaction of
 * the caller.
 *
 * @param selection - A key, several keys, or a condition on the table.
 * @throws {@link SoftDeleteError} `SOFT_DELETE_PARENT_TRASHED` when a row hangs below a trashed parent,
 * `SOFT_DELETE_CONFLICT` when a live row has taken one of its unique values, `SOFT_DELETE_NOT_CONFIGURED`.
 * @example
 * await restore(db, trash, 'events', 7)
 */
export async function restore<DB, Tables extends string, Table extends ConfiguredTable<DB, Tables>>(
  db: Connection<DB>,
  config: SoftDelete<Tables>,
  table: Table,
  selection: RowSelection<DB, Table>,
): Promise<RestoreOutcome> {
  const root = tableOf(config, table)
  return inTransaction(db, 'restore', async (trx) => {
    const rows = await lockTrashed(trx, root, selection)
    if (rows.length === 0) return { count: 0, cascaded: {} }
    for (const relation of guardingParents(root)) await requireLiveParents(trx, relation, rows)
    if (root.batch === undefined) {
      for (const keys of chunksOf(rows.map(({ key }) => key))) await revive(trx, root, root.key, keys)
      return { count: rows.length, cascaded: {} }
    }
    const counts = await restoreBatches(trx, root, rows)
    counts.set(root, counts.get(root)! - rows.length)
    const cascaded = [...counts].filter(([, count]) => count > 0).map(([{ name }, count]) => [name, count])
    return { count: rows.length, cascaded: Object.fromEntries(cascaded) as Record<string, number> }
  })
}

function lockTrashed(trx: AnyDb, root: SoftDeleteTable, selection: unknown): Promise<TrashedRow[]> {
  const columns = root.batch === undefined ? [] : [`${root.name}.${root.batch} as batch`]
  guardingParents(root).forEach(({ column }, index) => columns.push(`${root.name}.${column} as parent${index}`))
  const query = withTrashed(trx.selectFrom(nameOf(root)))
    .select([`${root.name}.${root.key} as key`, ...columns])
    .where(selected(root, selection))
    .where(`${root.name}.${root.column}`, 'is not', null)
    .orderBy(`${root.name}.${root.key}`)
  return (locksRows(trx) ? query.forUpdate() : query).execute()
}

/** Relations under which a live child of a trashed parent is a contradiction. */
function guardingParents({ parents }: SoftDeleteTable): Relation[] {
  return parents.filter(({ onDelete }) => onDelete !== 'ignore')
}

/** Refuses rows whose parent is trashed, unless it is restored by the same call; keeps the others live meanwhile. */
async function requireLiveParents(trx: AnyDb, relation: Relation, rows: readonly TrashedRow[]): Promise<void> {
  const { child, parent } = relation
  const column = `parent${guardingParents(child).indexOf(relation)}`
  const own = child === parent ? new Set(rows.map(({ key }) => key)) : new Set()
  const keys = new Set(rows.map((row) => row[column]).filter((key) => key !== null && !own.has(key)))
  for (const some of chunksOf([...keys])) {
    const query = withTrashed(trx.selectFrom(nameOf(parent)))
      .select([`${parent.name}.${parent.key} as key`, `${parent.name}.${parent.column} as moment`])
      .where(`${parent.name}.${parent.key}`, 'in', some)
      .orderBy('key')
    const parents = await (locksRows(trx) ? query.forShare() : query).execute()
    if (parents.some(({ moment }) => moment !== null)) throw parentTrashed(parent)
  }
}

/**
 * Moves everything that returns into a batch of its own, then revives that batch. A batch may hold more than what hangs
 * below the rows; rows reached but held by another trashed parent are handed to the batch of that parent.
 */
async function restoreBatches(
  trx: AnyDb,
  root: SoftDeleteTable,
  rows: readonly TrashedRow[],
): Promise<Map<SoftDeleteTable, number>> {
  const returning = randomUUID()
  const tables = new Set([root])
  const byBatch = Map.groupBy(rows, (row) => row['batch'] as string | null)
  for (const [batch, group] of byBatch) {
    const own = byBatch.size === 1 ? returning : randomUUID()
    for (const keys of chunksOf(group.map(({ key }) => key))) await move(trx, root, root.key, keys, own)
    const below = batch === null ? new Set([root]) : await moveBelow(trx, root, batch, own)
    for (const table of below) {
      tables.add(table)
      if (own !== returning) await move(trx, table, table.batch!, [own], returning)
    }
  }
  await handOver(trx, tables, returning)
  const counts = new Map<SoftDeleteTable, number>()
  for (const table of tables) counts.set(table, await revive(trx, table, table.batch!, [returning]))
  return counts
}

async function move(
  trx: AnyDb,
  table: SoftDeleteTable,
  column: string,
  values: readonly unknown[],
  batch: string,
): Promise<void> {
  await withTrashed(trx.updateTable(nameOf(table)))
    .set({ [table.batch!]: batch })
    .where(`${table.name}.${column}`, 'in', values)
    .where(`${table.name}.${table.column}`, 'is not', null)
    .execute()
}

async function moveBelow(trx: AnyDb, root: SoftDeleteTable, from: string, to: string): Promise<Set<SoftDeleteTable>> {
  const tables = new Set([root])
  const queue = new Set([root])
  for (const parent of queue) {
    queue.delete(parent)
    for (const relation of parent.children.filter(({ onDelete }) => onDelete === 'cascade')) {
      const { child } = relation
      const result = await withTrashed(trx.updateTable(nameOf(child)))
        .set({ [child.batch!]: to })
        .where(isBelow(relation, to))
        .where(`${child.name}.${child.batch!}`, '=', from)
        .where(`${child.name}.${child.column}`, 'is not', null)
        .executeTakeFirst()
      if (result.numUpdatedRows === 0n) continue
      tables.add(child)
      queue.add(child)
    }
  }
  return tables
}

/** Ends: each round takes rows out of the returning batch, and what hangs below those follows in the next. */
async function handOver(trx: AnyDb, tables: ReadonlySet<SoftDeleteTable>, returning: string): Promise<void> {
  const relations = [...tables].flatMap(guardingParents)
  if (locksRows(trx)) for (const relation of relations) await lockParents(trx, relation, returning)
  for (let isSettled = false; !isSettled;) {
    isSettled = true
    for (const { child, column, parent } of relations) {
      const result = await withTrashed(trx.updateTable(nameOf(child)))
        .set((eb) => ({
          [child.batch!]: withTrashed(eb.selectFrom(`${nameOf(parent)} as holder`))
            .select(`holder.${parent.batch!}`)
            .whereRef(`holder.${parent.key}`, '=', `${child.name}.${column}`),
        }))
        .where(`${child.name}.${child.batch!}`, '=', returning)
        .where(`${child.name}.${column}`, 'in', (eb: AnyEb) =>
          withTrashed(eb.selectFrom(`${nameOf(parent)} as trashed`))
            .select(`trashed.${parent.key}`)
            .where(`trashed.${parent.column}`, 'is not', null)
            .where((own: AnyEb) =>
              own.or([own(`trashed.${parent.batch!}`, 'is', null), own(`trashed.${parent.batch!}`, '<>', returning)]),
            ),
        )
        .executeTakeFirst()
      if (result.numUpdatedRows > 0n) isSettled = false
    }
  }
}

async function lockParents(trx: AnyDb, { child, column, parent }: Relation, batch: string): Promise<void> {
  await withTrashed(trx.selectFrom(nameOf(parent)))
    .select(`${parent.name}.${parent.key} as key`)
    .where(`${parent.name}.${parent.key}`, 'in', (eb: AnyEb) =>
      withTrashed(eb.selectFrom(`${nameOf(child)} as children`))
        .select(`children.${column}`)
        .where(`children.${child.batch!}`, '=', batch),
    )
    .orderBy('key')
    .forShare()
    .execute()
}

async function revive(trx: AnyDb, table: SoftDeleteTable, column: string, values: readonly unknown[]): Promise<number> {
  const cleared = [table.column, table.batch, table.deletedBy].filter((name) => name !== undefined)
  const update = withTrashed(trx.updateTable(nameOf(table)))
    .set(Object.fromEntries(cleared.map((name) => [name, null])))
    .where(`${table.name}.${column}`, 'in', values)
    .where(`${table.name}.${table.column}`, 'is not', null)
    .executeTakeFirst()
  const { numUpdatedRows } = await mapConflict(table.name, update)
  return Number(numUpdatedRows)
}
