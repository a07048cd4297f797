import type { ColumnType } from 'kysely'

/**
 * The type of a `deleted_at` column: readable, and never inserted or updated by hand.
 *
 * Give it to the marker columns of a table in the database interface; the helpers of this package are then the only
 * way to write them that compiles.
 *
 * @typeParam T - What the driver returns for a trashed row: `Date` for pg, `string` for SQLite text.
 * @example
 * interface EventTable { id: Generated<number>; title: string; deleted_at: DeletedAt }
 */
export type DeletedAt<T = Date> = ColumnType<T | null, never, never>
