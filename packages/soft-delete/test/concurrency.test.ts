import { type Kysely, sql } from 'kysely'
import { expect, test } from 'vitest'

import { defineSoftDelete, prune, requireLive, restore, softDelete } from '../src/index.ts'
import { Random } from './fuzz/random.ts'
import { openFilled, postgres, rowsOf, type Tables } from './support/database.ts'

const BATCH = { batch: 'batch', retentionDays: 30 } as const
const TRASH = defineSoftDelete({
  tables: {
    events: BATCH,
    sessions: { ...BATCH, parents: { event_id: { table: 'events', onDelete: 'cascade' } } },
    talks: { ...BATCH, parents: { session_id: { table: 'sessions', onDelete: 'cascade' } } },
  },
})

const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

/** Waits until another connection of this place waits for a lock; answers its process id. */
async function waitingProcess(db: Kysely<Tables>): Promise<number> {
  for (;;) {
    // The connections of one place share its search path, which only their own queries know: look at blocked ones by lock.
    const { rows } = await sql<{ pid: number }>`
      select waiting.pid from pg_locks waiting
      join pg_locks held on held.pid = any (pg_blocking_pids(waiting.pid)) and held.locktype = 'relation'
      where not waiting.granted and held.relation = 'events'::regclass`.execute(db)
    const [row] = rows
    if (row !== undefined) return row.pid
  }
}

const count = (db: Kysely<Tables>, table: 'events' | 'sessions' | 'talks', state: 'is' | 'is not') =>
  rowsOf(db.selectFrom(table).select('id').where('deleted_at', state, null))

test('43. a child inserted while its parent is trashed is trashed with it', async () => {
  await using it = await openFilled(postgres)
  const insert = await it.plain.startTransaction().execute()
  await requireLive(insert, TRASH, 'events', 1)
  const deleting = softDelete(it.db, TRASH, 'events', 1)
  await waitingProcess(it.plain)
  await insert.insertInto('sessions').values({ event_id: 1, title: 'late' }).execute()
  await insert.commit().execute()
  expect((await deleting).cascaded['sessions']).toBe(2)
})

test('43. an insert that comes after the delete is refused once the delete is certain', async () => {
  await using it = await openFilled(postgres)
  const deleting = await it.plain.startTransaction().execute()
  await softDelete(deleting, TRASH, 'events', 1)
  const inserting = it.plain.transaction().execute((trx) => requireLive(trx, TRASH, 'events', 1))
  await Promise.all([
    expect(inserting).rejects.toThrow(code('SOFT_DELETE_PARENT_TRASHED')),
    waitingProcess(it.plain).then(() => deleting.commit().execute()),
  ])
})

test('43. of two deletes of one row one wins', async () => {
  await using it = await openFilled(postgres)
  const outcomes = await Promise.all([1, 2, 3].map(() => softDelete(it.db, TRASH, 'events', [1, 3])))
  expect(outcomes.map((one) => one.count).toSorted((a, b) => a - b)).toEqual([0, 0, 2])
})

test('45. a child restored while its parent is trashed is refused', async () => {
  await using it = await openFilled(postgres)
  const deleting = await it.plain.startTransaction().execute()
  await softDelete(deleting, TRASH, 'events', 1)
  const restoring = restore(it.db, TRASH, 'sessions', 2)
  await Promise.all([
    expect(restoring).rejects.toThrow(code('SOFT_DELETE_PARENT_TRASHED')),
    waitingProcess(it.plain).then(() => deleting.commit().execute()),
  ])
})

test('43. whatever runs at once, no live child ends below a trashed parent', { timeout: 60_000 }, async () => {
  await using it = await openFilled(postgres)
  await sql`update events set deleted_at = null`.execute(it.plain)
  const random = new Random(43)
  const act = async (): Promise<void> => {
    const event = 1 + random.below(4)
    const dice = random.below(3)
    if (dice === 0) await softDelete(it.db, TRASH, 'events', event)
    else if (dice === 1) await restore(it.db, TRASH, random.chance(50) ? 'events' : 'sessions', event)
    else {
      await it.db.transaction().execute(async (trx) => {
        await requireLive(trx, TRASH, 'events', event)
        await trx.insertInto('sessions').values({ event_id: event, title: 'new' }).execute()
      })
    }
  }
  const worker = async (): Promise<void> => {
    for (let turn = 0; turn < 40; turn++) {
      await act().catch((error: unknown) => {
        // A child is locked before its parent, a parent before its children: Postgres may have to end one of two.
        const { code: reason } = error as { code?: string }
        if (reason !== 'SOFT_DELETE_PARENT_TRASHED' && reason !== '40P01') throw error
      })
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  const orphans = it.plain
    .selectFrom('sessions as s')
    .innerJoin('events as e', 'e.id', 's.event_id')
    .select('s.id')
    .where('s.deleted_at', 'is', null)
    .where('e.deleted_at', 'is not', null)
  expect(await rowsOf(orphans)).toBe('')
  // And every batch that was trashed as a whole returns as a whole.
  await restore(it.db, TRASH, 'events', (eb) => eb('events.id', '>', 0))
  expect(await count(it.plain, 'events', 'is not')).toBe('')
})

test('43. a delete whose connection is killed half-way leaves nothing, and succeeds when run again', async () => {
  await using it = await openFilled(postgres)
  const lock = await it.plain.startTransaction().execute()
  await lock.selectFrom('talks').select('id').where('id', '=', 1).forUpdate().execute()
  await lock.selectFrom('events').select('id').execute()
  const deleting = softDelete(it.db, TRASH, 'events', 1)
  const pid = await waitingProcess(it.plain)
  await Promise.all([
    expect(deleting).rejects.toThrow(/terminat/),
    sql`select pg_terminate_backend(${pid})`.execute(it.plain),
  ])
  await lock.rollback().execute()
  expect(await count(it.plain, 'events', 'is')).toBe('1 3 4')
  expect(await count(it.plain, 'sessions', 'is')).toBe('1 3 5')
  expect(await softDelete(it.db, TRASH, 'events', 1)).toMatchObject({ count: 1, cascaded: { sessions: 1, talks: 1 } })
})

test('44. a restore whose connection is killed half-way leaves the batch whole', async () => {
  await using it = await openFilled(postgres)
  await softDelete(it.db, TRASH, 'events', 1)
  const lock = await it.plain.startTransaction().execute()
  await lock.selectFrom('talks').select('id').where('id', '=', 1).forUpdate().execute()
  await lock.selectFrom('events').select('id').execute()
  const restoring = restore(it.db, TRASH, 'events', 1)
  const pid = await waitingProcess(it.plain)
  await Promise.all([
    expect(restoring).rejects.toThrow(/terminat/),
    sql`select pg_terminate_backend(${pid})`.execute(it.plain),
  ])
  await lock.rollback().execute()
  expect(await count(it.plain, 'events', 'is')).toBe('3 4')
  expect(await restore(it.db, TRASH, 'events', 1)).toEqual({ count: 1, cascaded: { sessions: 1, talks: 1 } })
})

/** Leaves a trashed and long due session with 50 talks. */
async function fillTrash(db: Kysely<Tables>): Promise<void> {
  await sql`insert into talks (session_id, title) select 1, 'more' from generate_series(1, 49)`.execute(db)
  await softDelete(db, TRASH, 'sessions', 1)
  for (const table of ['sessions', 'talks']) {
    await sql`update ${sql.table(table)} set deleted_at = '2020-01-01' where batch is not null`.execute(db)
  }
}

test('46. a prune killed half-way keeps what it removed, and the next run removes the rest', async () => {
  await using it = await openFilled(postgres)
  await fillTrash(it.plain)
  await sql`create function die() returns trigger language plpgsql as
    $$ begin if old.id = 120 then perform pg_terminate_backend(pg_backend_pid()); end if; return old; end $$;
    create trigger die before delete on talks for each row execute function die()`.execute(it.plain)
  await expect(prune(it.db, TRASH, { batchSize: 8 })).rejects.toThrow(/terminat/)
  const left = (await it.plain.selectFrom('talks').select('id').where('deleted_at', 'is not', null).execute()).length
  expect(left).toBeGreaterThan(0)
  expect(left % 8).toBe(51 % 8)
  await sql`drop trigger die on talks`.execute(it.plain)
  // Talk 2 and session 4 were trashed by hand, and are due as well.
  expect(await prune(it.db, TRASH, { batchSize: 8 })).toEqual({ talks: 35, sessions: 2 })
  expect(await count(it.plain, 'talks', 'is not')).toBe('')
})

test('46. two prunes at once remove each row once', async () => {
  await using it = await openFilled(postgres)
  await fillTrash(it.plain)
  const removed = await Promise.all([1, 2, 3].map(() => prune(it.db, TRASH, { batchSize: 5 })))
  const total = removed.reduce((sum, one) => sum + (one['talks'] ?? 0), 0)
  expect(total + (await prune(it.db, TRASH).then((one) => one['talks'] ?? 0))).toBe(51)
})

test('46. a row under restore is not pruned', async () => {
  await using it = await openFilled(postgres)
  await fillTrash(it.plain)
  const restoring = await it.plain.startTransaction().execute()
  await restore(restoring, TRASH, 'sessions', 1)
  await prune(it.db, TRASH)
  await restoring.commit().execute()
  expect(await count(it.plain, 'sessions', 'is')).toBe('1 3 5')
  expect(
    (
      await it.plain
        .selectFrom('talks')
        .select('id')
        .where('session_id', '=', 1)
        .where('deleted_at', 'is', null)
        .execute()
    ).length,
  ).toBe(50)
})

test('46. a child inserted below a trashed parent keeps it from being pruned', async () => {
  await using it = await openFilled(postgres)
  await sql`alter table talks drop constraint talks_session_id_fkey, add foreign key (session_id) references sessions on delete cascade`.execute(
    it.plain,
  )
  await sql`delete from talks where session_id = 2`.execute(it.plain)
  const inserting = await it.plain.startTransaction().execute()
  await inserting.insertInto('talks').values({ session_id: 2, title: 'late' }).execute()
  await prune(it.db, TRASH)
  await inserting.commit().execute()
  await prune(it.db, TRASH)
  expect(await rowsOf(it.plain.selectFrom('talks').select('title').where('session_id', '=', 2))).toBe('late')
})
