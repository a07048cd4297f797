import { type ColumnMetadata, sql, type TableMetadata } from 'kysely'

import type { SoftDelete, SoftDeleteTable } from '../config.ts'
import { type Connection, type AnyDb, isMysql, isSqlite, nameOf } from '../writes/rows.ts'
import { readIndexes, type TableIndex } from './indexes.ts'
import { liveIndex } from './migrations.ts'

/** What {@link checkSchema} found wrong. A minor release may add codes. */
export type SchemaFindingCode =
  | 'missing-table'
  | 'missing-column'
  | 'not-nullable'
  | 'full-unique-key'
  | 'unique-with-marker'
  | 'unindexed'

/** One thing about a table that does not fit soft deletion. */
export interface SchemaFinding {
  readonly table: string
  readonly code: SchemaFindingCode
  /** What is wrong and what follows from it, in a sentence. */
  readonly message: string
  /** SQL that mends it, where one statement does. Read it before it is run. */
  readonly fix: string | undefined
}

/**
 * Compares the database with the configuration: columns that are missing or refuse null, unique keys that soft deletion
 * breaks, and indexes that the helpers and filtered queries want. Reads catalogues only.
 *
 * @returns Nothing but what is wrong; an empty list is good news.
 * @example
 * for (const { table, message, fix } of await checkSchema(db, trash)) console.log(`${table}: ${message}`, fix)
 */
export async function checkSchema<DB>(db: Connection<DB>, config: SoftDelete): Promise<SchemaFinding[]> {
  const plain = (db as unknown as AnyDb).withoutPlugins()
  const all = await tablesOf(plain)
  const current = isSqlite(plain) ? undefined : await currentSchema(plain)
  const findings: SchemaFinding[] = []
  for (const table of config.tables.values()) {
    const schema = table.schema ?? current
    const found = all.find((one) => one.name === table.name && (isSqlite(plain) || one.schema === schema))
    if (found === undefined) {
      findings.push({ table: nameOf(table), code: 'missing-table', message: 'There is no such table.', fix: undefined })
      continue
    }
    const indexes = await readIndexes(plain, table.name, schema)
    findings.push(
      ...checkColumns(table, found),
      ...checkKeys(plain, config, table, indexes),
      ...checkIndexes(plain, table, found, indexes),
    )
  }
  return findings
}

/** Tries that a look at the catalogue gets while others drop tables. */
const TRIES = 5

/** All tables. Kysely asks Postgres for each by name: one that is dropped meanwhile, in any schema, ends the statement. */
async function tablesOf(db: AnyDb): Promise<TableMetadata[]> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await db.introspection.getTables()
    } catch (error) {
      // 42P01: there is no such table.
      if ((error as { readonly code?: unknown }).code !== '42P01' || left === 0) throw error
    }
  }
}

async function currentSchema(db: AnyDb): Promise<string> {
  const name = isMysql(db) ? sql<string>`database()` : sql<string>`current_schema()`
  const { rows } = await sql<{ name: string }>`select ${name} as name`.execute(db)
  return rows[0]!.name
}

function* checkColumns(table: SoftDeleteTable, { columns }: TableMetadata): Generator<SchemaFinding> {
  const byName = new Map<string, ColumnMetadata>(columns.map((column) => [column.name, column]))
  const parents = table.parents.map(({ column }) => column)
  for (const name of new Set([table.column, table.key, table.batch, table.deletedBy, table.hold, ...parents])) {
    if (name !== undefined && !byName.has(name)) {
      yield finding(table, 'missing-column', `The configuration names a column "${name}" that the table has not.`)
    }
  }
  for (const name of [table.column, table.batch, table.deletedBy]) {
    if (name !== undefined && byName.get(name)?.isNullable === false) {
      yield finding(table, 'not-nullable', `Column "${name}" must accept null: that is what a live row holds.`)
    }
  }
}

function* checkKeys(
  db: AnyDb,
  config: SoftDelete,
  table: SoftDeleteTable,
  indexes: readonly TableIndex[],
): Generator<SchemaFinding> {
  for (const { name, columns, hasExpressions, isUnique, isPrimary, predicate, nullsAreDistinct } of indexes) {
    if (!isUnique || isPrimary || (columns.join() === table.key && !hasExpressions)) continue
    const others = columns.filter((column) => column !== table.column)
    // An index on the plain columns alone, or on all live rows, would bind other rows than this one does.
    const isPlain = !hasExpressions && predicate === undefined && others.length > 0
    const fix =
      isMysql(db) || !isPlain ? undefined : liveIndex(db, config, nameOf(table), others, { unique: true }).compile().sql
    if (columns.includes(table.column) && nullsAreDistinct) {
      const message = `Unique key "${name}" holds "${table.column}": nulls are distinct, so it lets live rows share values.`
      yield finding(table, 'unique-with-marker', message, fix)
    } else if (
      !columns.includes(table.column) &&
      !mentions(predicate, table.column) &&
      table.uniqueKeys === 'partial'
    ) {
      const message = `Unique key "${name}" holds trashed rows too: their values cannot be used again.`
      yield finding(table, 'full-unique-key', message, fix)
    }
  }
}

function* checkIndexes(
  db: AnyDb,
  table: SoftDeleteTable,
  { columns }: TableMetadata,
  indexes: readonly TableIndex[],
): Generator<SchemaFinding> {
  const exists = new Set(columns.map(({ name }) => name))
  const leads = new Set(indexes.map((index) => index.columns[0]))
  const isWanted = (name: string | undefined): name is string =>
    name !== undefined && exists.has(name) && !leads.has(name)
  for (const { column, parent } of table.parents) {
    if (!isWanted(column)) continue
    const message = `No index starts with "${column}": deletes, restores and prunes of "${parent.name}" read the whole table.`
    yield finding(
      table,
      'unindexed',
      message,
      db.schema.createIndex(`${table.name}_${column}`).on(nameOf(table)).column(column).compile().sql,
    )
  }
  if (table.retentionDays !== undefined && isWanted(table.column)) {
    const message = `No index starts with "${table.column}": every prune reads the whole table.`
    const index = db.schema.createIndex(`${table.name}_trash`).on(nameOf(table)).column(table.column)
    yield finding(
      table,
      'unindexed',
      message,
      (isMysql(db) ? index : index.where(table.column, 'is not', null)).compile().sql,
    )
  }
  if (table.children.length > 0 && isWanted(table.batch)) {
    const message = `No index starts with "${table.batch}": every cascade and restore reads the whole table.`
    const index = db.schema.createIndex(`${table.name}_${table.batch}`).on(nameOf(table)).column(table.batch)
    yield finding(
      table,
      'unindexed',
      message,
      (isMysql(db) ? index : index.where(table.batch, 'is not', null)).compile().sql,
    )
  }
}

/** Whether the condition of a partial index says something about the marker. */
function mentions(predicate: string | undefined, column: string): boolean {
  return predicate?.toLowerCase().includes(column.toLowerCase()) === true
}

function finding(table: SoftDeleteTable, code: SchemaFindingCode, message: string, fix?: string): SchemaFinding {
  return { table: nameOf(table), code, message, fix }
}
