import type { Expression, Insertable, SqlBool, Updateable } from 'kysely'

import type { SoftDelete, SoftDeleteTable } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import { withTrashed } from '../scopes.ts'
import { mapConflict } from './conflict.ts'
import { restore } from './restore.ts'
import {
  type Connection,
  type AnyDb,
  type AnyEb,
  type ConfiguredTable,
  inTransaction,
  isMysql,
  nameOf,
  type RowKey,
  tableOf,
} from './rows.ts'

/** Options of {@link upsert}. */
export interface UpsertOptions<Row> {
  /** Columns that tell whether the row is there. */
  readonly key: readonly (keyof Row & string)[]
  /** What a row that is there is changed to. @default the values without the key */
  readonly update?: Updateable<Row>
  /**
   * What happens when only a trashed row has the key, and its unique key forbids another: it comes back changed, the call
   * fails, or it stays as it is.
   */
  readonly onTrashed: 'revive' | 'fail' | 'ignore'
}

/** What {@link upsert} did. `ignored` leaves no visible row behind. */
export type UpsertOutcome = 'inserted' | 'updated' | 'revived' | 'ignored'

/** More rounds than this take a row that others insert and remove all the time. */
const MAX_ROUNDS = 10

/**
 * Inserts a row, or updates the live one that has its key; never leaves it unsaid that a trashed one was in the way.
 *
 * Works with partial and full unique keys alike: beside a partial one a trashed row is not in the way, and a new row is
 * made. Revives as {@link restore} does, with what was trashed along.
 *
 * @throws {@link SoftDeleteError} `SOFT_DELETE_CONFLICT` when a trashed row is in the way and `onTrashed` is `fail`, or
 * when another unique key than `key` is taken; `SOFT_DELETE_PARENT_TRASHED` when a revived row hangs below a trashed
 * parent; `SOFT_DELETE_NOT_CONFIGURED`.
 * @example
 * await upsert(db, trash, 'events', { slug: 'fosdem', title: 'FOSDEM' }, { key: ['slug'], onTrashed: 'revive' })
 */
export async function upsert<DB, Tables extends string, Table extends ConfiguredTable<DB, Tables>>(
  db: Connection<DB>,
  config: SoftDelete<Tables>,
  table: Table,
  values: Insertable<DB[Table]>,
  options: UpsertOptions<DB[Table]>,
): Promise<UpsertOutcome> {
  const settings = tableOf(config, table)
  const row = values as Record<string, unknown>
  const rest = Object.entries(row).filter(([name]) => !(options.key as readonly string[]).includes(name))
  const update = (options.update ?? Object.fromEntries(rest)) as Record<string, unknown>
  return inTransaction(db, 'upsert', async (trx) => {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (await insertNew(trx, settings, row)) return 'inserted'
      if (await change(trx, settings, row, options.key, update, 'is')) return 'updated'
      const trashed = await trashedKeys(trx, settings, row, options.key)
      if (trashed.length === 0) continue
      if (options.onTrashed === 'ignore') return 'ignored'
      if (options.onTrashed === 'fail') break
      if (!(await change(trx, settings, row, options.key, update, 'is not'))) continue
      // By primary key: the update may have changed the other one.
      await restore(trx, config as SoftDelete, table as string, trashed)
      return 'revived'
    }
    throw new SoftDeleteError(
      'SOFT_DELETE_CONFLICT',
      `A trashed row, or another unique key, of "${table}" is in the way`,
    )
  })
}

function matches(row: Record<string, unknown>, key: readonly string[]): (eb: AnyEb) => Expression<SqlBool> {
  return (eb) => eb.and(key.map((name) => eb(name, '=', row[name])))
}

async function insertNew(trx: AnyDb, table: SoftDeleteTable, row: Record<string, unknown>): Promise<boolean> {
  const insert = withTrashed(trx.insertInto(nameOf(table)).values(row))
  const result = await (
    isMysql(trx) ? insert.ignore() : insert.onConflict((conflict) => conflict.doNothing())
  ).executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

async function change(
  trx: AnyDb,
  table: SoftDeleteTable,
  row: Record<string, unknown>,
  key: readonly string[],
  update: Record<string, unknown>,
  state: 'is' | 'is not',
): Promise<boolean> {
  // An update of nothing still has to tell whether the row is there.
  const set = Object.keys(update).length > 0 ? update : Object.fromEntries(key.map((name) => [name, row[name]]))
  const work = withTrashed(trx.updateTable(nameOf(table)))
    .set(set)
    .where(matches(row, key))
    .where(table.column, state, null)
    .executeTakeFirst()
  const { numUpdatedRows } = await mapConflict(table.name, work)
  return numUpdatedRows > 0n
}

async function trashedKeys(
  trx: AnyDb,
  table: SoftDeleteTable,
  row: Record<string, unknown>,
  key: readonly string[],
): Promise<RowKey[]> {
  const rows = await withTrashed(trx.selectFrom(nameOf(table)))
    .select(`${table.name}.${table.key} as key`)
    .where(matches(row, key))
    .where(table.column, 'is not', null)
    .execute()
  return rows.map((taken) => taken['key'] as RowKey)
}
