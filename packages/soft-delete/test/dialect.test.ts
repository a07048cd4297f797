import { Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import {
  defineSoftDelete,
  permanently,
  type SoftDelete,
  softDeleteDialect,
  softDeletePlugin,
  withTrashed,
} from '../src/index.ts'
import {
  type Engine,
  openFilled,
  type Place,
  postgres,
  rowsOf,
  sqlite,
  type Tables,
  TRASH,
} from './support/database.ts'

function open(place: Place, trash: SoftDelete = TRASH): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: softDeleteDialect(place.dialect, trash),
    plugins: [softDeletePlugin(trash, { deletes: 'dialect' })],
  })
}

const trashed = (place: Place) =>
  rowsOf(place.plain.selectFrom('events').select('id').where('deleted_at', 'is not', null))

describe.each([sqlite, postgres])('DELETE through the dialect, on $name', (engine: Engine) => {
  test('29. it trashes live rows, counts them, and keeps the first moment', async () => {
    await using it = await openFilled(engine)
    const db = open(it.place)
    const remove = db.deleteFrom('events').where('id', '<', 3)
    expect((await remove.executeTakeFirst()).numDeletedRows).toBe(1n)
    const moments = await rowsOf(it.plain.selectFrom('events').select(['id', sql`deleted_at`.as('at')]))
    expect((await remove.executeTakeFirst()).numDeletedRows).toBe(0n)
    expect(await rowsOf(it.plain.selectFrom('events').select(['id', sql`deleted_at`.as('at')]))).toBe(moments)
    expect(await trashed(it.place)).toBe('1 2')
  })

  test('29. an OR of raw SQL reaches no further than it did', async () => {
    await using it = await openFilled(engine)
    await open(it.place)
      .deleteFrom('events as e')
      .where(sql<boolean>`e.id = 1 or e.id = 2`)
      .execute()
    expect(await trashed(it.place)).toBe('1 2')
  })

  test('29. it holds in transactions and behind with()', async () => {
    await using it = await openFilled(engine)
    const db = open(it.place)
    await db.transaction().execute(async (trx) => {
      await trx.deleteFrom('events').where('id', '=', 1).execute()
      await trx.withSchema(it.place.schema).deleteFrom('events').where('id', '=', 3).execute()
    })
    await db
      .with('old', (q) => q.selectFrom('events').select('id').where('id', '=', 4))
      .deleteFrom('events')
      .where('id', 'in', (eb) => eb.selectFrom('old').select('id'))
      .execute()
    expect(await rowsOf(it.plain.selectFrom('events').select('id'))).toBe('1 2 3 4')
    expect(await trashed(it.place)).toBe('1 2 3 4')
  })

  test('29. without the plugin the dialect trashes as well, without the dialect the database refuses', async () => {
    await using it = await openFilled(engine)
    const plugged = it.place.with(softDeletePlugin(TRASH, { deletes: 'dialect' }))
    await expect(plugged.deleteFrom('events').execute()).rejects.toThrow(/syntax error/)
    await new Kysely<Tables>({ dialect: softDeleteDialect(it.place.dialect, TRASH) })
      .deleteFrom('events')
      .where('id', '=', 1)
      .execute()
    expect(await rowsOf(it.plain.selectFrom('events').select('id'))).toBe('1 2 3 4')
    expect(await trashed(it.place)).toBe('1 2')
  })

  test('32. RETURNING gives the row as trashed', async () => {
    await using it = await openFilled(engine)
    const rows = await open(it.place).deleteFrom('events').where('id', '=', 1).returning(['id', 'deleted_at']).execute()
    expect(rows).toEqual([{ id: 1, deleted_at: expect.anything() }])
  })

  test('33. permanently() stays a DELETE, of live and trashed rows', async () => {
    await using it = await openFilled(engine)
    const db = open(it.place)
    expect((await permanently(db.deleteFrom('talks')).executeTakeFirst()).numDeletedRows).toBe(3n)
    expect(await rowsOf(it.plain.selectFrom('talks').select('id'))).toBe('')
    expect((await db.deleteFrom('people').where('id', 'in', [1]).executeTakeFirst()).numDeletedRows).toBe(1n)
  })

  test('a parent whose policies one UPDATE cannot follow is refused', async () => {
    await using it = await openFilled(engine)
    const strict = defineSoftDelete({
      tables: {
        events: { batch: 'batch' },
        sessions: { parents: { event_id: { table: 'events', onDelete: 'restrict' } } },
      },
    })
    const db = open(it.place, strict)
    expect(() => db.deleteFrom('events').compile()).toThrow(
      expect.objectContaining({ code: 'SOFT_DELETE_DIRECT_DELETE' }),
    )
    expect((await db.deleteFrom('sessions').where('id', '=', 1).executeTakeFirst()).numDeletedRows).toBe(1n)
  })

  test('the moment can come from a clock', async () => {
    await using it = await openFilled(engine)
    const clocked = defineSoftDelete({ tables: { events: true }, now: () => new Date('2026-02-03T04:05:06.789Z') })
    await open(it.place, clocked).deleteFrom('events').where('id', '=', 1).execute()
    const row = await it.plain.selectFrom('events').select('deleted_at').where('id', '=', 1).executeTakeFirstOrThrow()
    expect(row.deleted_at).toEqual(
      engine.name === 'sqlite' ? '2026-02-03 04:05:06.789' : new Date('2026-02-03T04:05:06.789Z'),
    )
  })

  test('31. ORDER BY and LIMIT are refused rather than widened', async () => {
    await using it = await openFilled(engine)
    const limited = open(it.place).deleteFrom('events').orderBy('id').limit(1)
    expect(() => limited.compile()).toThrow(expect.objectContaining({ code: 'SOFT_DELETE_UNSUPPORTED' }))
  })

  if (engine.name === 'postgres') {
    test('25. a delete inside a CTE trashes', async () => {
      await using it = await openFilled(engine)
      const gone = open(it.place)
        .with('gone', (q) => q.deleteFrom('events').where('id', '<', 4).returning('id'))
        .selectFrom('gone')
        .select('id')
      expect(await rowsOf(gone)).toBe('1 3')
      expect(await rowsOf(it.plain.selectFrom('events').select('id'))).toBe('1 2 3 4')
    })

    test('30. USING becomes FROM and is filtered', async () => {
      await using it = await openFilled(engine)
      const remove = open(it.place)
        .deleteFrom('events as e')
        .using('sessions as s')
        .leftJoin('talks as t', 't.session_id', 's.id')
        .whereRef('s.event_id', '=', 'e.id')
      expect(await rowsOf(remove.returning('e.id'))).toBe('1')
      expect(await rowsOf(withTrashed(remove, 's').returning('e.id'))).toBe('3')
    })

    test('30. USING that names the target again needs an alias', async () => {
      await using it = await openFilled(engine)
      const again = open(it.place).deleteFrom('events').using('events').where('events.id', '=', 1)
      expect(() => again.compile()).toThrow(expect.objectContaining({ code: 'SOFT_DELETE_UNSUPPORTED' }))
      const aliased = open(it.place)
        .deleteFrom('events as e')
        .using('events as f')
        .whereRef('e.id', '<', 'f.id')
        .where('f.id', '=', 3)
      expect(await rowsOf(aliased.returning('e.id'))).toBe('1')
    })
  }
})
