import type { Database } from '../database.ts'

/**
 * Our two tables, in whatever schema the connection's `search_path` names first.
 *
 * `task_ledger` remembers which jobs have had their effect, `task_outbox` holds jobs between commit and queue.
 */
const CREATE_TABLES = [
  // Two processes that start together would otherwise both see no table, and one would fail.
  `select pg_advisory_xact_lock(hashtext('task_context'))`,
  `create table if not exists task_ledger (
     queue text not null,
     job_id text not null,
     result jsonb,
     done_at timestamptz not null default now(),
     primary key (queue, job_id)
   )`,
  // Entries come in the order of their time: ranges of pages are all that pruning needs, and cost a job nothing.
  `create index if not exists task_ledger_done_at on task_ledger using brin (done_at)`,
  `create table if not exists task_outbox (
     id bigint generated always as identity primary key,
     job_id text not null,
     queue text not null,
     name text not null,
     data json not null,
     options json not null,
     created_at timestamptz not null default now()
   )`,
] as const

/** Creates the tables where one is missing. Asks first, as a role that may not create anything may still use them. */
export async function ensureTables(database: Database<unknown>): Promise<void> {
  const sql = `select to_regclass('task_ledger') is not null and to_regclass('task_outbox') is not null as there`
  const [found] = await database.query(undefined, sql, [])
  if (found?.['there'] === true) return
  await database.transaction(async (handle) => {
    for (const statement of CREATE_TABLES) await database.query(handle, statement, [])
  })
}
