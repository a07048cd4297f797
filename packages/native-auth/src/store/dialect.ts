import { type AliasedRawBuilder, type Kysely, PostgresAdapter, sql } from 'kysely'

/** Tells Postgres from SQLite, by the dialect of the caller's instance. */
export const isPostgres = <DB>(db: Kysely<DB>): boolean => db.getExecutor().adapter instanceof PostgresAdapter

/** Names of a row's columns, for an insert that selects. */
export const columnsOf = <Row extends object>(row: Row): (keyof Row & string)[] =>
  Object.keys(row) as (keyof Row & string)[]

/** Values of a row as such an insert selects them, in the order of {@link columnsOf}. */
export const valuesOf = (row: object): AliasedRawBuilder<unknown, string>[] =>
  Object.entries(row).map(([name, value]) => sql.val<unknown>(value).as(name))
