import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { defineSoftDelete, prune, softDelete, softDeletePlugin, type TableOptions } from '../src/index.ts'
import { type Engine, openFilled, postgres, rowsOf, sqlite, typesOf } from './support/database.ts'

const BATCH = { batch: 'batch' } as const

function trashOf(options: { events?: TableOptions; sessions?: TableOptions; talks?: TableOptions } = {}) {
  return defineSoftDelete({
    tables: {
      events: { ...BATCH, retentionDays: 30, ...options.events },
      sessions: {
        ...BATCH,
        retentionDays: 30,
        parents: { event_id: { table: 'events', onDelete: 'cascade' } },
        ...options.sessions,
      },
      talks: {
        ...BATCH,
        retentionDays: 30,
        parents: { session_id: { table: 'sessions', onDelete: 'cascade' } },
        ...options.talks,
      },
    },
  })
}

const LONG_AGO = '2020-01-01 00:00:00'

/** Trashes everything below event 1, and event 1, long ago. */
async function trashLongAgo(it: Awaited<ReturnType<typeof openFilled>>): Promise<void> {
  await softDelete(it.db, trashOf(), 'events', 1)
  await sql`update events set deleted_at = ${LONG_AGO} where deleted_at is not null`.execute(it.plain)
  await sql`update sessions set deleted_at = ${LONG_AGO} where deleted_at is not null`.execute(it.plain)
  await sql`update talks set deleted_at = ${LONG_AGO} where deleted_at is not null`.execute(it.plain)
}

describe.each([sqlite, postgres])('prune, on $name', (engine: Engine) => {
  test('46. it removes what is due, children first, and no more the second time', async () => {
    await using it = await openFilled(engine)
    await trashLongAgo(it)
    // Session 3 is live below the trashed event 2, talk 3 below the trashed session 2: their parents stay.
    const first = await prune(it.db, trashOf())
    expect(first).toEqual({ talks: 2, sessions: 2 })
    expect(await prune(it.db, trashOf(), { batchSize: 1 })).toEqual({})
    expect(await rowsOf(it.plain.selectFrom('sessions').select('id'))).toBe('2 3 5')
    await sql`update talks set deleted_at = ${LONG_AGO}`.execute(it.plain)
    await sql`update sessions set deleted_at = ${LONG_AGO}`.execute(it.plain)
    expect(await prune(it.db, trashOf(), { batchSize: 1 })).toEqual({ talks: 1, sessions: 3, events: 2 })
    expect(await rowsOf(it.plain.selectFrom('events').select('id'))).toBe('3 4')
  })

  test('46. it keeps what is young, held, or of a table without retention', async () => {
    await using it = await openFilled(engine)
    // Trashed today: only what the fixture trashed long ago is due.
    await softDelete(it.db, trashOf(), 'events', 1)
    expect(await prune(it.db, trashOf())).toEqual({ talks: 1, sessions: 1 })
    await trashLongAgo(it)
    await sql`alter table talks add column legal_hold boolean`.execute(it.plain)
    await sql`update talks set legal_hold = true where id = 1`.execute(it.plain)
    // Talk 1 holds its session, which holds its event.
    expect(await prune(it.db, trashOf({ talks: { hold: 'legal_hold' } }))).toEqual({})
    const kept = defineSoftDelete({ tables: { talks: BATCH } })
    expect(await prune(it.db, kept)).toEqual({})
    // Session 2 has a live talk, and so keeps the event.
    expect(await prune(it.db, trashOf())).toEqual({ talks: 1, sessions: 1 })
  })

  test('46. a clock of the configuration decides what is due', async () => {
    await using it = await openFilled(engine)
    await trashLongAgo(it)
    const at = (iso: string) => defineSoftDelete({ tables: { talks: { retentionDays: 1 } }, now: () => new Date(iso) })
    expect(await prune(it.db, at('2020-01-01T23:59:59Z'))).toEqual({})
    expect(await prune(it.db, at('2020-01-02T12:00:01Z'))).toEqual({ talks: 2 })
  })

  test('46. an abort stops between two batches, and the rest is for the next run', async () => {
    await using it = await openFilled(engine)
    await trashLongAgo(it)
    const controller = new AbortController()
    const stopping = it.place.with(softDeletePlugin(trashOf()), {
      transformQuery: ({ node }) => {
        if (node.kind === 'DeleteQueryNode') controller.abort(new Error('enough'))
        return node
      },
      transformResult: ({ result }) => Promise.resolve(result),
    })
    await expect(prune(stopping, trashOf(), { batchSize: 1, signal: controller.signal })).rejects.toThrow('enough')
    expect(await it.plain.selectFrom('talks').select('id').execute()).toHaveLength(2)
    expect(await prune(it.db, trashOf())).toEqual({ talks: 1, sessions: 2 })
  })

  test('it refuses a batch size that removes nothing', async () => {
    await using it = await openFilled(engine)
    await expect(prune(it.db, trashOf(), { batchSize: 0 })).rejects.toThrow(RangeError)
  })

  test("46. a row that is its own parent goes, and rows that are each other's stay", async () => {
    await using it = await openFilled(engine)
    await sql`create table nodes (id integer primary key, parent_id integer, deleted_at ${typesOf(engine).moment}, batch text)`.execute(
      it.plain,
    )
    await sql`insert into nodes (id, parent_id, deleted_at) values (1, 1, ${LONG_AGO}), (2, 3, ${LONG_AGO}), (3, 2, ${LONG_AGO}), (4, 1, ${LONG_AGO})`.execute(
      it.plain,
    )
    const trash = defineSoftDelete({
      tables: {
        nodes: { ...BATCH, retentionDays: 1, parents: { parent_id: { table: 'nodes', onDelete: 'cascade' } } },
      },
    })
    expect(await prune(it.db, trash)).toEqual({ nodes: 2 })
    expect((await sql`select id from nodes`.execute(it.plain)).rows).toEqual([{ id: 2 }, { id: 3 }])
  })
})
