import Database from 'better-sqlite3'
import { Kysely, SqliteDialect, sql } from 'kysely'

import { defineSoftDelete, softDeleteDialect, softDeletePlugin } from '../src/index.ts'
import { COLUMNS, type Tables } from './tables.ts'

/** One query that a soft-delete layer gets right or not, and the rows it should give. */
interface Scenario {
  readonly name: string
  readonly run: (db: Kysely<Tables>) => { execute(): Promise<object[]> }
  readonly expected: string
  /** What to look at afterwards, for writes. */
  readonly after?: string
}

const STATE = `select group_concat(id || coalesce(title, '') || iif(deleted_at is null, '', '!'), ' ') as state from events`

/** Event 2 is trashed; event 1 has a live and a trashed session, event 3 a trashed one; session 3 hangs below event 2. */
const FIXTURE = `
  create table events (id integer primary key, title text, owner_id integer, deleted_at text);
  create table sessions (id integer primary key, event_id integer, title text, deleted_at text);
  create table people (id integer primary key, name text);
  insert into events values (1, 'one', 1, null), (2, 'two', 1, '2020-01-01'), (3, 'three', 2, null);
  insert into sessions values (1, 1, 's1', null), (2, 1, 's2', '2020-01-01'), (3, 2, 's3', null), (4, 3, 's4', '2020-01-01');
  insert into people values (1, 'ada'), (2, 'bob');`

const SCENARIOS: readonly Scenario[] = [
  { name: 'one table', run: (db) => db.selectFrom('events').select('id'), expected: '1 3' },
  { name: 'aliased table', run: (db) => db.selectFrom('events as e').select('e.id'), expected: '1 3' },
  {
    name: 'comma FROM',
    run: (db) =>
      db.selectFrom(['people as p', 'events as e']).whereRef('e.owner_id', '=', 'p.id').select(['p.name', 'e.id']),
    expected: 'ada/1 bob/3',
  },
  {
    name: 'target of an inner join',
    run: (db) =>
      db.selectFrom('people').innerJoin('events', 'events.owner_id', 'people.id').select(['people.name', 'events.id']),
    expected: 'ada/1 bob/3',
  },
  {
    name: 'left join',
    run: (db) =>
      db
        .selectFrom('events')
        .leftJoin('sessions', 'sessions.event_id', 'events.id')
        .select(['events.id', 'sessions.title']),
    expected: '1/s1 3/-',
  },
  {
    name: 'right join',
    run: (db) =>
      db
        .selectFrom('sessions')
        .rightJoin('events', 'sessions.event_id', 'events.id')
        .select(['events.id', 'sessions.title']),
    expected: '1/s1 3/-',
  },
  {
    name: 'full join',
    run: (db) =>
      db
        .selectFrom('events')
        .fullJoin('sessions', 'sessions.event_id', 'events.id')
        .select(['events.id', 'sessions.title']),
    expected: '-/s3 1/s1 3/-',
  },
  {
    name: 'cross join',
    run: (db) => db.selectFrom('people').crossJoin('events').select(['people.id', 'events.id as event']),
    expected: '1/1 1/3 2/1 2/3',
  },
  {
    name: 'EXISTS',
    run: (db) =>
      db
        .selectFrom('people')
        .select('id')
        .where((eb) => eb.exists(eb.selectFrom('events').select('events.id').where('events.id', '=', 2))),
    expected: '',
  },
  {
    name: 'raw OR',
    run: (db) =>
      db
        .selectFrom('events')
        .select('id')
        .where(sql<boolean>`id = 2 or id = 1 or id = 2`),
    expected: '1',
  },
  {
    name: 'CTE named like a table',
    run: (db) =>
      db
        .with('sessions', (q) => q.selectFrom('people').select('id'))
        .selectFrom('sessions')
        .select('id'),
    expected: '1 2',
  },
  {
    name: 'union',
    run: (db) => db.selectFrom('events').select('id').union(db.selectFrom('sessions').select('id')),
    expected: '1 3',
  },
  {
    name: 'subquery from db',
    run: (db) =>
      db.selectFrom('people').select('id').where('id', 'in', db.selectFrom('sessions').select('sessions.id')),
    expected: '1',
  },
  {
    name: 'INSERT … SELECT',
    run: (db) =>
      db.insertInto('people').columns(['name']).expression(db.selectFrom('events').select('title')).returning('name'),
    expected: 'one three',
  },
  { name: 'UPDATE', run: (db) => db.updateTable('events').set({ title: 'x' }), expected: '', after: '1x 2two! 3x' },
  {
    name: 'UPDATE … FROM',
    run: (db) =>
      db.updateTable('events').from('sessions').set({ title: 'x' }).whereRef('sessions.event_id', '=', 'events.id'),
    expected: '',
    after: '1x 2two! 3three',
  },
  {
    name: 'DELETE',
    run: (db) => db.deleteFrom('events').where('id', '=', 1),
    expected: '',
    after: '1one! 2two! 3three',
  },
]

async function judge(
  { run, expected, after }: Scenario,
  db: Kysely<Tables>,
  database: Database.Database,
): Promise<string> {
  try {
    const rows = await run(db).execute()
    if (after !== undefined) {
      const { state } = database.prepare(STATE).get() as { state: string }
      return state === after ? 'right' : `WRONG: ${state}`
    }
    const got = rows
      .map((row) =>
        Object.values(row)
          .map((value) => (value === null ? '-' : String(value)))
          .join('/'),
      )
      .toSorted()
      .join(' ')
    return got === expected ? 'right' : `WRONG: ${got}`
  } catch (error) {
    return `error: ${(error as Error).message.slice(0, 40)}`
  }
}

/** Opens the peers by the names of their packages. */
export type OpenPeers = (
  database: Database.Database,
  columns: typeof COLUMNS,
) => Promise<Record<string, Kysely<Tables>>>

/** Runs every scenario on rows, for this package and for the peers as published. */
export async function scoreboard(openPeers: OpenPeers): Promise<Record<string, Record<string, string>>> {
  const trash = defineSoftDelete({ tables: { events: true, sessions: true } })
  const board: Record<string, Record<string, string>> = {}
  for (const scenario of SCENARIOS) {
    const row: Record<string, string> = {}
    for (const name of ['@org/soft-delete', '@zenstackhq/plugin-soft-delete', '@kysera/soft-delete']) {
      const database = new Database(':memory:')
      database.exec(FIXTURE)
      const own = new Kysely<Tables>({
        dialect: softDeleteDialect(new SqliteDialect({ database }), trash),
        plugins: [softDeletePlugin(trash, { deletes: 'dialect' })],
      })
      const db = name === '@org/soft-delete' ? own : (await openPeers(database, COLUMNS))[name]!
      row[name] = await judge(scenario, db, database)
      database.close()
    }
    board[scenario.name] = row
  }
  return board
}
