import { type CreateIndexBuilder, type Expression, sql } from 'kysely'

import type { SoftDelete } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import { type Connection, type AnyDb, isMysql, isSqlite, nameOf, tableOf } from '../writes/rows.ts'

/** SQL types of the columns that {@link addSoftDeleteColumns} adds. */
export interface SoftDeleteColumnTypes {
  /** Of the marker column. @default timestamptz on PostgreSQL, datetime(6) on MySQL, text on SQLite */
  readonly column?: Expression<unknown>
  /** Of the batch column. @default uuid on PostgreSQL, char(36) on MySQL, text on SQLite */
  readonly batch?: Expression<unknown>
  /** Of the actor column. @default text, varchar(255) on MySQL */
  readonly deletedBy?: Expression<unknown>
}

/**
 * Adds the marker column of a table, and its batch and actor column where the configuration names them. For migrations.
 *
 * @throws {@link SoftDeleteError} `SOFT_DELETE_NOT_CONFIGURED`.
 */
export async function addSoftDeleteColumns<DB, Tables extends string>(
  db: Connection<DB>,
  config: SoftDelete<Tables>,
  table: Tables,
  types: SoftDeleteColumnTypes = {},
): Promise<void> {
  const { schema } = db as unknown as AnyDb
  const settings = tableOf(config, table)
  const [moment, id, text] = defaultTypes(db as unknown as AnyDb)
  const wanted = [
    [settings.column, types.column ?? moment],
    [settings.batch, types.batch ?? id],
    [settings.deletedBy, types.deletedBy ?? text],
  ] as const
  // SQLite adds one column per statement.
  for (const [name, type] of wanted) {
    if (name !== undefined)
      await schema
        .alterTable(nameOf(settings))
        .addColumn(name, type as never)
        .execute()
  }
}

/**
 * Removes the columns that {@link addSoftDeleteColumns} added. Trashed rows become live by that: prune or remove them
 * first. Indexes on the columns have to be gone on SQLite.
 *
 * @throws {@link SoftDeleteError} `SOFT_DELETE_NOT_CONFIGURED`.
 */
export async function dropSoftDeleteColumns<DB, Tables extends string>(
  db: Connection<DB>,
  config: SoftDelete<Tables>,
  table: Tables,
): Promise<void> {
  const settings = tableOf(config, table)
  for (const name of [settings.deletedBy, settings.batch, settings.column]) {
    if (name !== undefined)
      await (db as unknown as AnyDb).schema.alterTable(nameOf(settings)).dropColumn(name).execute()
  }
}

/** Options of {@link createLiveIndex}. */
export interface LiveIndexOptions {
  /** Whether two live rows may not share the values. Trashed rows always may. @default false */
  readonly unique?: boolean
  /** @default table and columns, joined by underscores, ending in `live` */
  readonly name?: string
}

/**
 * Creates an index that holds the live rows only: smaller by the share of trashed rows, and, if unique, one that lets a
 * value be used again once its row is trashed.
 *
 * @throws {@link SoftDeleteError} `SOFT_DELETE_UNSUPPORTED` on MySQL, which has no partial indexes;
 * `SOFT_DELETE_NOT_CONFIGURED`.
 * @example
 * await createLiveIndex(db, trash, 'events', ['slug'], { unique: true })
 */
export async function createLiveIndex<DB, Tables extends string>(
  db: Connection<DB>,
  config: SoftDelete<Tables>,
  table: Tables,
  columns: readonly string[],
  options: LiveIndexOptions = {},
): Promise<void> {
  if (isMysql(db as unknown as AnyDb)) {
    throw new SoftDeleteError(
      'SOFT_DELETE_UNSUPPORTED',
      'MySQL has no partial indexes: index a generated column instead',
    )
  }
  await liveIndex(db as unknown as AnyDb, config, table, columns, options).execute()
}

/** The statement behind {@link createLiveIndex}. */
export function liveIndex(
  db: AnyDb,
  config: SoftDelete,
  table: string,
  columns: readonly string[],
  { unique = false, name }: LiveIndexOptions,
): CreateIndexBuilder<string> {
  const settings = tableOf(config, table)
  const index = db.schema
    .createIndex(name ?? [settings.name, ...columns, 'live'].join('_'))
    .on(nameOf(settings))
    .columns([...columns])
  return (unique ? index.unique() : index).where(settings.column, 'is', null)
}

function defaultTypes(db: AnyDb): readonly [Expression<unknown>, Expression<unknown>, Expression<unknown>] {
  if (isSqlite(db)) return [sql`text`, sql`text`, sql`text`]
  if (isMysql(db)) return [sql`datetime(6)`, sql`char(36)`, sql`varchar(255)`]
  return [sql`timestamptz`, sql`uuid`, sql`text`]
}
