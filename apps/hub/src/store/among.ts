import { type RawBuilder, sql, SqliteAdapter } from 'kysely'

import type { Database } from './tables.ts'

/**
 * Keys as a sub-select, for `column in ${among(db, ids)}`.
 *
 * One parameter however many keys there are: the text of the statement stays the same, so it is compiled once and not
 * again for each length of a list.
 */
export function among(db: Database, ids: readonly number[]): RawBuilder<unknown> {
  const list = JSON.stringify(ids)
  return db.getExecutor().adapter instanceof SqliteAdapter
    ? sql`(select value from json_each(${list}))`
    : sql`(select value::int from json_array_elements_text(${list}::json))`
}

/** Names as a sub-select, for `column in ${amongNames(db, names)}`. */
export function amongNames(db: Database, names: readonly string[]): RawBuilder<unknown> {
  const list = JSON.stringify(names)
  return db.getExecutor().adapter instanceof SqliteAdapter
    ? sql`(select value from json_each(${list}))`
    : sql`(select value from json_array_elements_text(${list}::json))`
}
