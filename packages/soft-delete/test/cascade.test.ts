import { type Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { defineSoftDelete, requireLive, restore, softDelete } from '../src/index.ts'
import { type Engine, openFilled, postgres, rowsOf, sqlite, type Tables, typesOf } from './support/database.ts'

const MARKERS = { batch: 'batch', deletedBy: 'deleted_by' } as const

/** Events, their sessions, and talks that hang below a session and maybe below an event of their own (owner_id). */
const TRASH = defineSoftDelete({
  tables: {
    events: MARKERS,
    sessions: { ...MARKERS, parents: { event_id: { table: 'events', onDelete: 'cascade' } } },
    talks: { ...MARKERS, parents: { session_id: { table: 'sessions', onDelete: 'cascade' } } },
  },
})

async function live(db: Kysely<Tables>): Promise<string> {
  const parts = await Promise.all(
    (['events', 'sessions', 'talks'] as const).map((table) =>
      rowsOf(db.selectFrom(table).select('id').where('deleted_at', 'is', null)),
    ),
  )
  return parts.join(' | ')
}

const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

describe.each([sqlite, postgres])('cascade and restore, on $name', (engine: Engine) => {
  test('44. a cascade trashes what hangs below; a restore brings back exactly that', async () => {
    await using it = await openFilled(engine)
    expect(await live(it.plain)).toBe('1 3 4 | 1 3 5 | 1 3')
    const gone = await softDelete(it.db, TRASH, 'events', 1, { newBatch: () => 'b1' })
    // Talk 3 hangs below session 2, which was trashed before: it is not reached.
    expect(gone).toEqual({ count: 1, cascaded: { sessions: 1, talks: 1 }, batch: 'b1' })
    expect(await live(it.plain)).toBe('3 4 | 3 5 | 3')
    expect(await restore(it.db, TRASH, 'events', 1)).toEqual({ count: 1, cascaded: { sessions: 1, talks: 1 } })
    expect(await live(it.plain)).toBe('1 3 4 | 1 3 5 | 1 3')
  })

  test('44. of one batch only what hangs below the restored parent returns', async () => {
    await using it = await openFilled(engine)
    await sql`update sessions set event_id = 3 where id = 5`.execute(it.plain)
    const { batch } = await softDelete(it.db, TRASH, 'events', [1, 3])
    expect(await live(it.plain)).toBe('4 | 3 | 3')
    await restore(it.db, TRASH, 'events', 3)
    expect(await live(it.plain)).toBe('3 4 | 3 5 | 3')
    expect(await rowsOf(it.plain.selectFrom('sessions').select('id').where('batch', '=', batch!))).toBe('1')
    await restore(it.db, TRASH, 'events', 1)
    expect(await live(it.plain)).toBe('1 3 4 | 1 3 5 | 1 3')
  })

  test('44. rows of several batches return each with its own', async () => {
    await using it = await openFilled(engine)
    await softDelete(it.db, TRASH, 'sessions', 1)
    await softDelete(it.db, TRASH, 'events', 1)
    await softDelete(it.db, TRASH, 'events', 3)
    await sql`update sessions set event_id = 3 where id = 5`.execute(it.plain)
    await restore(it.db, TRASH, 'events', (eb) => eb('id', 'in', [1, 3, 2]))
    // Session 1 was trashed on its own before its event was.
    expect(await live(it.plain)).toBe('1 2 3 4 | 3 5 | 3')
    expect(await restore(it.db, TRASH, 'sessions', 1)).toEqual({ count: 1, cascaded: { talks: 1 } })
    expect(await live(it.plain)).toBe('1 2 3 4 | 1 3 5 | 1 3')
  })

  test('45. a child does not return below a trashed parent', async () => {
    await using it = await openFilled(engine)
    await softDelete(it.db, TRASH, 'events', 1)
    await expect(restore(it.db, TRASH, 'sessions', 1)).rejects.toThrow(code('SOFT_DELETE_PARENT_TRASHED'))
    await expect(restore(it.db, TRASH, 'sessions', [2, 1])).rejects.toThrow(code('SOFT_DELETE_PARENT_TRASHED'))
    expect(await live(it.plain)).toBe('3 4 | 3 5 | 3')
    expect(await restore(it.db, TRASH, 'events', 99)).toEqual({ count: 0, cascaded: {} })
  })

  test('44. below two parents a child returns with the last of them', async () => {
    await using it = await openFilled(engine)
    const trash = defineSoftDelete({
      tables: {
        events: MARKERS,
        sessions: MARKERS,
        talks: {
          ...MARKERS,
          parents: {
            session_id: { table: 'sessions', onDelete: 'cascade' },
            event_id: { table: 'events', onDelete: 'cascade' },
          },
        },
      },
    })
    await sql`alter table talks add column event_id integer`.execute(it.plain)
    await sql`update talks set event_id = 1`.execute(it.plain)
    await softDelete(it.db, trash, 'events', 1)
    await softDelete(it.db, trash, 'sessions', 1)
    expect(await live(it.plain)).toBe('3 4 | 3 5 | ')
    expect(await restore(it.db, trash, 'events', 1)).toEqual({ count: 1, cascaded: {} })
    expect(await restore(it.db, trash, 'sessions', [1, 2])).toEqual({ count: 2, cascaded: { talks: 1 } })
    // Talk 3 stays: its session was trashed by hand, in no batch that it could return with.
    expect(await live(it.plain)).toBe('1 3 4 | 1 2 3 5 | 1')
  })

  test('44. a tree in one table falls and rises by its branches', async () => {
    await using it = await openFilled(engine)
    const { key, moment } = typesOf(engine)
    await sql`create table nodes (id ${key}, parent_id integer references nodes, deleted_at ${moment}, batch text)`.execute(
      it.plain,
    )
    await sql`insert into nodes (id, parent_id) values (1, null), (2, 1), (3, 1), (4, 2), (5, 4), (6, null)`.execute(
      it.plain,
    )
    const trash = defineSoftDelete({
      tables: { nodes: { batch: 'batch', parents: { parent_id: { table: 'nodes', onDelete: 'cascade' } } } },
    })
    const db = it.plain as unknown as Kysely<{ nodes: { id: number; parent_id: number | null; deleted_at: unknown } }>
    const shown = () => rowsOf(db.selectFrom('nodes').select('id').where('deleted_at', 'is', null))
    expect(await softDelete(db, trash, 'nodes', 4)).toMatchObject({ count: 1, cascaded: { nodes: 1 } })
    expect(await softDelete(db, trash, 'nodes', 1)).toMatchObject({ count: 1, cascaded: { nodes: 2 } })
    expect(await shown()).toBe('6')
    await expect(restore(db, trash, 'nodes', 4)).rejects.toThrow(code('SOFT_DELETE_PARENT_TRASHED'))
    expect(await restore(db, trash, 'nodes', 1)).toEqual({ count: 1, cascaded: { nodes: 2 } })
    expect(await shown()).toBe('1 2 3 6')
    await softDelete(db, trash, 'nodes', 2)
    expect(await restore(db, trash, 'nodes', [2, 4])).toEqual({ count: 2, cascaded: { nodes: 1 } })
    expect(await shown()).toBe('1 2 3 4 5 6')
  })

  test('34. restrict refuses while live children stand, setNull lets go of them, ignore leaves them', async () => {
    await using it = await openFilled(engine)
    const trash = (onDelete: 'restrict' | 'setNull' | 'ignore') =>
      defineSoftDelete({
        tables: { events: MARKERS, sessions: { ...MARKERS, parents: { event_id: { table: 'events', onDelete } } } },
      })
    await expect(softDelete(it.db, trash('restrict'), 'events', [1, 3])).rejects.toThrow(code('SOFT_DELETE_RESTRICTED'))
    expect(await live(it.plain)).toBe('1 3 4 | 1 3 5 | 1 3')
    // Its only session is trashed.
    expect((await softDelete(it.db, trash('restrict'), 'events', 3)).count).toBe(1)
    await softDelete(it.db, trash('setNull'), 'events', 1)
    expect(await rowsOf(it.plain.selectFrom('sessions').select(['id', 'event_id']))).toBe('1/- 2/1 3/2 4/3 5/-')
    await softDelete(it.db, trash('ignore'), 'events', 4)
    expect(await live(it.plain)).toBe(' | 1 3 5 | 1 3')
  })

  test('34. what a cascade takes does not restrict', async () => {
    await using it = await openFilled(engine)
    const trash = defineSoftDelete({
      tables: {
        events: MARKERS,
        sessions: { ...MARKERS, parents: { event_id: { table: 'events', onDelete: 'cascade' } } },
        talks: { ...MARKERS, parents: { session_id: { table: 'sessions', onDelete: 'restrict' } } },
      },
    })
    await expect(softDelete(it.db, trash, 'events', 1)).rejects.toThrow(code('SOFT_DELETE_RESTRICTED'))
    await softDelete(it.db, trash, 'talks', 1)
    expect((await softDelete(it.db, trash, 'events', 1)).cascaded).toEqual({ sessions: 1 })
  })

  test('35. a child is inserted below a live parent only', async () => {
    await using it = await openFilled(engine)
    await it.db.transaction().execute(async (trx) => {
      await requireLive(trx, TRASH, 'events', [1, 3, 3])
      await expect(requireLive(trx, TRASH, 'events', 2)).rejects.toThrow(code('SOFT_DELETE_PARENT_TRASHED'))
      await expect(requireLive(trx, TRASH, 'events', [1, 99])).rejects.toThrow(code('SOFT_DELETE_PARENT_TRASHED'))
      await requireLive(trx, TRASH, 'events', [])
    })
  })

  test('43. a failure half-way leaves nothing changed, and the next call succeeds', async () => {
    await using it = await openFilled(engine)
    const fail =
      engine.name === 'sqlite'
        ? sql`create trigger stop before update on talks begin select raise(abort, 'stop'); end`
        : sql`create function stop() returns trigger language plpgsql as $$ begin raise 'stop'; end $$;
              create trigger stop before update on talks execute function stop()`
    const mend = engine.name === 'sqlite' ? sql`drop trigger stop` : sql`drop trigger stop on talks`
    await fail.execute(it.plain)
    await expect(softDelete(it.db, TRASH, 'events', 1)).rejects.toThrow('stop')
    expect(await live(it.plain)).toBe('1 3 4 | 1 3 5 | 1 3')
    await mend.execute(it.plain)
    await softDelete(it.db, TRASH, 'events', 1)
    if (engine.name === 'postgres') await sql`drop function stop`.execute(it.plain)
    await fail.execute(it.plain)
    await expect(restore(it.db, TRASH, 'events', 1)).rejects.toThrow('stop')
    expect(await live(it.plain)).toBe('3 4 | 3 5 | 3')
    await mend.execute(it.plain)
    expect(await restore(it.db, TRASH, 'events', 1)).toEqual({ count: 1, cascaded: { sessions: 1, talks: 1 } })
  })
})
