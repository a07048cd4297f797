import { CamelCasePlugin, type CamelCasePluginOptions } from 'kysely'

import { SoftDeleteError } from './errors.ts'

/** What happens to live children when their parent is soft-deleted. */
export type ParentPolicy = 'cascade' | 'restrict' | 'setNull' | 'ignore'

/** One declared relation: the child's foreign key column points at the parent's key. */
export interface ParentOptions {
  /** The parent; itself a configured table. */
  readonly table: string
  /**
   * What a soft delete of the parent does to its live children. All but `ignore`
   * need a {@link TableOptions.batch} column on the parent, `cascade` on the child too. `setNull` is not undone by a
   * restore; `ignore` leaves the children live.
   */
  readonly onDelete: ParentPolicy
}

/** How one table is soft-deleted. Every name is the database's, or maps to it by {@link SoftDeleteOptions.databaseName}. */
export interface TableOptions {
  /** Nullable column that holds when the row was trashed. @default 'deleted_at' */
  readonly column?: string
  /** Single-column primary key. @default 'id' */
  readonly key?: string
  /** Column that holds who trashed the row; none is written when absent. */
  readonly deletedBy?: string
  /** Column (`uuid` or text) that holds which delete trashed the row; needed for policies and an exact restore. */
  readonly batch?: string
  /** Boolean column; while true the row is not pruned. */
  readonly hold?: string
  /** Days that a trashed row is kept before {@link prune} may remove it; never pruned when absent. */
  readonly retentionDays?: number
  /** Declared parents, by foreign key column of this table. */
  readonly parents?: Readonly<Record<string, ParentOptions>>
  /**
   * Unique keys other than the primary key: `partial` when their indexes say `where deleted_at is null`, else `full`.
   * @default 'partial'
   */
  readonly uniqueKeys?: 'partial' | 'full'
  /**
   * What a conflict clause does when it meets a trashed row: brings it back, or leaves it as it is. Without a choice
   * such a clause throws, since the row would be written and stay invisible.
   * @default 'fail'
   */
  readonly onConflict?: 'revive' | 'ignore' | 'fail'
}

/** Options of {@link defineSoftDelete}. */
export interface SoftDeleteOptions<Tables extends string = string> {
  /** The soft-deletable tables: `true` for the defaults. A key such as `audit.events` means that schema only. */
  readonly tables: { readonly [Table in Tables]: true | TableOptions }
  /** Schemas in which a table named without one is meant; it is always meant where a query names no schema. @default 'any' */
  readonly schemas?: 'any' | readonly string[]
  /**
   * Maps a name of a query to the database's. With `CamelCasePlugin` give {@link camelCaseNames}; the order of the two
   * plugins is then free.
   * @default identity
   */
  readonly databaseName?: (name: string) => string
  /**
   * The moment written to the column: a `Date`, or milliseconds since the epoch for integer columns. By default the
   * database's `current_timestamp`, so that the clocks of several servers do not matter.
   */
  readonly now?: () => Date | number
}

/** One declared relation, seen from either side. Names are the database's. */
export interface Relation {
  readonly child: SoftDeleteTable
  readonly column: string
  readonly parent: SoftDeleteTable
  readonly onDelete: ParentPolicy
}

/** A configured table with its defaults filled in. Names are the database's. */
export interface SoftDeleteTable {
  readonly name: string
  readonly schema: string | undefined
  readonly column: string
  readonly key: string
  readonly deletedBy: string | undefined
  readonly batch: string | undefined
  readonly hold: string | undefined
  readonly retentionDays: number | undefined
  readonly uniqueKeys: 'partial' | 'full'
  readonly onConflict: 'revive' | 'ignore' | 'fail'
  /** Relations in which this table is the child. */
  readonly parents: readonly Relation[]
  /** Relations in which this table is the parent. */
  readonly children: readonly Relation[]
}

/** What is soft-deletable: made once by {@link defineSoftDelete}, given to the plugin and to every helper. */
export interface SoftDelete<Tables extends string = string> {
  /** The configured tables, by the name they were configured with. */
  readonly tables: ReadonlyMap<Tables, SoftDeleteTable>
  /** The clock of {@link SoftDeleteOptions.now}, `undefined` when the database's is used. */
  readonly now: (() => Date | number) | undefined
  /** Maps a name of a query to the database's; see {@link SoftDeleteOptions.databaseName}. */
  readonly databaseName: (name: string) => string
  /**
   * Finds the settings behind a table name of a query.
   * @returns `undefined` when the table is not soft-deletable.
   */
  find(name: string, schema?: string): SoftDeleteTable | undefined
}

/**
 * Declares which tables are soft-deletable. Opt-in by table: no table is recognised by its columns.
 *
 * @throws {@link SoftDeleteError} `SOFT_DELETE_CONFIG` when a relation names an unconfigured table, a policy lacks its
 * batch column, a retention is not a positive number, or a name is empty.
 * @example
 * const trash = defineSoftDelete({ tables: { events: true, sessions: { batch: 'deleted_batch' } } })
 */
export function defineSoftDelete<const Tables extends string>(options: SoftDeleteOptions<Tables>): SoftDelete<Tables> {
  const toName = options.databaseName ?? ((name: string) => name)
  const tables = new Map<Tables, SoftDeleteTable>()
  const byName = new Map<string, Map<string | undefined, SoftDeleteTable>>()
  for (const [given, settings] of Object.entries(options.tables) as [Tables, true | TableOptions][]) {
    const table = readTable(given, settings === true ? {} : settings, toName)
    tables.set(given, table)
    const namesakes = byName.get(table.name) ?? new Map<string | undefined, SoftDeleteTable>()
    if (namesakes.has(table.schema)) throw configError(`Expected each table once, got "${given}" under two names`)
    byName.set(table.name, namesakes.set(table.schema, table))
  }
  const schemas = options.schemas === undefined || options.schemas === 'any' ? undefined : new Set(options.schemas)
  const find = (name: string, schema?: string): SoftDeleteTable | undefined => {
    const namesakes = byName.get(name) ?? byName.get(toName(name))
    if (namesakes === undefined) return undefined
    if (schema === undefined) return namesakes.get(undefined)
    const inSchema = namesakes.get(schema) ?? namesakes.get(toName(schema))
    return inSchema ?? (schemas === undefined || schemas.has(schema) ? namesakes.get(undefined) : undefined)
  }
  for (const [given, settings] of Object.entries(options.tables) as [Tables, true | TableOptions][]) {
    if (settings !== true) relate(tables.get(given)!, settings, toName, find)
  }
  return Object.freeze({ tables, now: options.now, databaseName: toName, find })
}

/**
 * Makes a {@link SoftDeleteOptions.databaseName} that maps as Kysely's `CamelCasePlugin` does.
 *
 * @param options - The options given to that plugin.
 */
export function camelCaseNames(options?: CamelCasePluginOptions): (name: string) => string {
  const names = new Names(options)
  return (name) => names.toDatabase(name)
}

class Names extends CamelCasePlugin {
  toDatabase(name: string): string {
    return this.snakeCase(name)
  }
}

function readTable(given: string, options: TableOptions, toName: (name: string) => string): SoftDeleteTable {
  const parts = given.split('.')
  if (parts.length > 2 || parts.includes('')) {
    throw configError(`Expected a table name such as "events" or "audit.events", got "${given}"`)
  }
  const { retentionDays } = options
  if (retentionDays !== undefined && !(retentionDays > 0 && Number.isFinite(retentionDays))) {
    throw configError(`Expected \`retentionDays\` of "${given}" to be above 0, got \`${retentionDays}\``)
  }
  const column = (name: string | undefined) => {
    if (name === '') throw configError(`Expected a column name in the options of "${given}", got an empty string`)
    return name === undefined ? undefined : toName(name)
  }
  return {
    name: toName(parts.at(-1)!),
    schema: parts.length === 2 ? toName(parts[0]!) : undefined,
    column: column(options.column) ?? 'deleted_at',
    key: column(options.key) ?? 'id',
    deletedBy: column(options.deletedBy),
    batch: column(options.batch),
    hold: column(options.hold),
    retentionDays,
    uniqueKeys: options.uniqueKeys ?? 'partial',
    onConflict: options.onConflict ?? 'fail',
    parents: [],
    children: [],
  }
}

function relate(
  child: SoftDeleteTable,
  options: TableOptions,
  toName: (name: string) => string,
  find: SoftDelete['find'],
): void {
  for (const [column, { table, onDelete }] of Object.entries(options.parents ?? {})) {
    const [name, schema] = table.split('.').toReversed()
    const parent = find(name!, schema)
    if (parent === undefined) {
      throw configError(`Expected the parent of "${child.name}.${column}" to be a configured table, got "${table}"`)
    }
    if (onDelete !== 'ignore' && parent.batch === undefined) {
      throw configError(
        `Expected "${parent.name}" to name a \`batch\` column: "${child.name}" depends on it by ${onDelete}`,
      )
    }
    if (onDelete === 'cascade' && child.batch === undefined) {
      throw configError(`Expected "${child.name}" to name a \`batch\` column: it is trashed by cascade`)
    }
    const relation: Relation = { child, column: toName(column), parent, onDelete }
    ;(child.parents as Relation[]).push(relation)
    ;(parent.children as Relation[]).push(relation)
  }
}

function configError(message: string): SoftDeleteError {
  return new SoftDeleteError('SOFT_DELETE_CONFIG', message)
}
