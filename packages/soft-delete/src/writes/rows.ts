import {
  type ControlledTransaction,
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  MysqlAdapter,
  type RawBuilder,
  type SqlBool,
  sql,
  SqliteAdapter,
  type Transaction,
} from 'kysely'

import type { Relation, SoftDelete, SoftDeleteTable } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import { encodeMoment } from '../moment.ts'
import { withTrashed } from '../scopes.ts'

/** A value of a single-column primary key. */
export type RowKey = string | number | bigint

/** Which rows a helper means: one by key, several by key, or those that meet a condition. */
export type RowSelection<DB, Table extends keyof DB> =
  | RowKey
  | readonly RowKey[]
  | ((eb: ExpressionBuilder<DB, Table>) => Expression<SqlBool>)

/** A Kysely instance, or a transaction of one. */
export type Connection<DB> = Kysely<DB> | Transaction<DB> | ControlledTransaction<DB>

/** Tables of the database interface that the configuration names. */
export type ConfiguredTable<DB, Tables extends string> = keyof DB & Tables

/** Rows of tables known only at run time. */
type AnyTables = Record<string, Record<string, unknown>>
export type AnyDb = Kysely<AnyTables>
export type AnyEb = ExpressionBuilder<AnyTables, string>

/** Finds the settings of a table that a helper was given. */
export function tableOf(config: SoftDelete, name: string): SoftDeleteTable {
  const [last, schema] = name.split('.').toReversed()
  const table = config.tables.get(name) ?? config.find(last!, schema)
  if (table !== undefined) return table
  throw new SoftDeleteError('SOFT_DELETE_NOT_CONFIGURED', `Expected a table of defineSoftDelete(), got "${name}"`)
}

/** The name of a table for a query builder. */
export function nameOf({ schema, name }: SoftDeleteTable): string {
  return schema === undefined ? name : `${schema}.${name}`
}

/**
 * Runs all or nothing: in a transaction of its own, or behind a savepoint of the caller's, who may catch the error and
 * commit.
 *
 * @param name - Tells nested savepoints apart, as MySQL needs.
 */
export async function inTransaction<DB, T>(
  db: Connection<DB>,
  name: 'delete' | 'restore' | 'upsert',
  body: (trx: AnyDb) => Promise<T>,
): Promise<T> {
  const any = db as unknown as AnyDb
  if (!any.isTransaction) return any.transaction().execute((trx: Transaction<AnyTables>) => body(trx))
  const point = sql.raw(`savepoint sd_${name}`)
  await point.execute(any)
  try {
    const result = await body(any)
    await sql`release ${point}`.execute(any)
    return result
  } catch (error) {
    // Fails where the database has ended the transaction already; what went wrong first is then the news.
    await sql`rollback to ${point}`.execute(any).catch(() => {})
    throw error
  }
}

/** Whether rows can be locked one by one; SQLite has one writer at a time instead. */
export function locksRows(db: AnyDb): boolean {
  return !isSqlite(db)
}

export function isSqlite(db: AnyDb): boolean {
  return db.getExecutor().adapter instanceof SqliteAdapter
}

export function isMysql(db: AnyDb): boolean {
  return db.getExecutor().adapter instanceof MysqlAdapter
}

/** Turns a selection into a condition on the table. */
export function selected(table: SoftDeleteTable, selection: unknown): (eb: AnyEb) => Expression<SqlBool> {
  // Raw SQL may hold an OR, and more conditions follow.
  if (typeof selection === 'function') return (eb) => eb.parens((selection as (eb: AnyEb) => Expression<SqlBool>)(eb))
  const keys = Array.isArray(selection) ? selection : [selection]
  return (eb) => (keys.length === 0 ? sql<SqlBool>`1 = 0` : eb(`${table.name}.${table.key}`, 'in', keys))
}

/** The moment to write: the database's own unless the configuration has a clock. */
export function momentOf(db: AnyDb, config: SoftDelete): RawBuilder<unknown> {
  return config.now === undefined ? sql`current_timestamp` : sql`${encodeMoment(isSqlite(db), config.now())}`
}

/** The condition on a child that one of its parents, by this relation, carries the batch id. */
export function isBelow({ child, column, parent }: Relation, batch: string): (eb: AnyEb) => Expression<SqlBool> {
  return (eb) => {
    const parents = withTrashed(eb.selectFrom(`${nameOf(parent)} as parents`))
      .select(`parents.${parent.key} as key`)
      .where(`parents.${parent.batch!}`, '=', batch)
    // MySQL reads a table that the same statement updates only behind a derived table.
    return eb(`${child.name}.${column}`, 'in', eb.selectFrom(parents.as('keys')).select('keys.key'))
  }
}

/** Databases limit the parameters of a statement; SQLite to 32,766, PostgreSQL to 65,535. */
export function* chunksOf<T>(list: readonly T[], size = 1000): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += size) yield list.slice(start, start + size)
}
