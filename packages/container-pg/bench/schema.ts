import { Client } from 'pg'

// The schema of the goals: 20 tables, 40 further indexes, 1000 rows.
const TABLES = Array.from({ length: 20 }, (_, index) => `t${index}`)

export const SCHEMA = TABLES.map(
  (table) =>
    `CREATE TABLE ${table} (id serial PRIMARY KEY, name text, at timestamptz DEFAULT now());
     CREATE INDEX ON ${table} (name); CREATE INDEX ON ${table} (at);`,
).join('\n')
export const SEED = TABLES.map(
  (table) => `INSERT INTO ${table} (name) SELECT md5(i::text) FROM generate_series(1, 50) i;`,
).join('\n')
export const FIRST_QUERY = 'SELECT count(*) FROM t0'

/** Runs statements on a connection of their own. */
export async function run(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(text)
  await client.end()
}

/** The server's own version. */
export async function versionOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
  await client.end()
  return rows[0]?.server_version ?? ''
}

export const migrate = (url: string): Promise<void> => run(url, SCHEMA)
export const seed = (url: string): Promise<void> => run(url, SEED)

/** The same server's address of another database. */
export function addressIn(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${database}`
  return address.href
}
