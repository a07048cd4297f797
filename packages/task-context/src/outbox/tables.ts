/**
 * Our two tables, in whatever schema the connection's `search_path` names first.
 *
 * `task_ledger` remembers which jobs have had their effect, `task_outbox` holds jobs between commit and queue.
 */
export const CREATE_TABLES = [
  // Two processes that start together would otherwise both see no table, and one would fail.
  `select pg_advisory_xact_lock(hashtext('task_context'))`,
  `create table if not exists task_ledger (
     queue text not null,
     job_id text not null,
     result jsonb,
     done_at timestamptz not null default now(),
     primary key (queue, job_id)
   )`,
  `create index if not exists task_ledger_done_at on task_ledger (done_at)`,
  `create table if not exists task_outbox (
     id bigint generated always as identity primary key,
     job_id text not null,
     queue text not null,
     name text not null,
     data jsonb not null,
     options jsonb not null,
     created_at timestamptz not null default now()
   )`,
] as const
