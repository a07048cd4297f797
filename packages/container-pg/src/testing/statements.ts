import { type Client, escapeIdentifier, type Pool } from 'pg'

/** A connection, or a pool of them. */
type Queryable = Pick<Client, 'query'> | Pick<Pool, 'query'>

/** Words that say how a copy is made; none for the server's own choice. */
export type CopyStrategy = '' | 'STRATEGY file_copy'

const VERSION_WITH_STRATEGIES = 150_000

/**
 * Chooses how copies are made. Copying files forces checkpoints: the dearer way on a server that waits for its disk, and the
 * cheaper one where it does not. It also takes along what spares the first connection some work.
 *
 * @see https://www.postgresql.org/docs/15/sql-createdatabase.html (STRATEGY)
 */
export async function chooseStrategy(client: Client): Promise<CopyStrategy> {
  const { rows } = await client.query<{ version: number; fsync: string }>(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync`,
  )
  const { version = 0, fsync = 'on' } = rows[0] ?? {}
  return version >= VERSION_WITH_STRATEGIES && fsync === 'off' ? 'STRATEGY file_copy' : ''
}

/** Makes a database out of a template that nobody is connected to. */
export async function createCopy(
  client: Queryable,
  name: string,
  template: string,
  strategy: CopyStrategy,
): Promise<void> {
  await (client as Pool).query(
    `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)} ${strategy}`,
  )
}

/** Drops a database, open connections included; harmless when it is gone. */
export async function dropDatabase(client: Queryable, name: string): Promise<void> {
  await (client as Pool).query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`)
}

/** Tells whether a database exists. */
export async function databaseExists(client: Client, name: string): Promise<boolean> {
  return (await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).rowCount === 1
}
