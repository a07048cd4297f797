import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'

/** Tables of the tests. */
export interface Schema {
  accounts: { id: string; balance: number; backend: number | null }
  task_ledger: { queue: string; job_id: string }
  task_outbox: { id: string; job_id: string; queue: string }
}

/** A Kysely instance on an address. */
export function connect(url: string, max = 20): Kysely<Schema> {
  const pool = new pg.Pool({ connectionString: url, max })
  // A server that goes away under an idle connection is part of these tests.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
}
