import { type Kysely, PostgresAdapter } from 'kysely'

/** Tells Postgres from SQLite, by the dialect of the caller's instance. */
export const isPostgres = <DB>(db: Kysely<DB>): boolean => db.getExecutor().adapter instanceof PostgresAdapter
