import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { defineSoftDelete, type ParentPolicy, restore, softDelete, upsert } from '../src/index.ts'
import { openFilled, postgres, rowsOf, sqlite } from './support/database.ts'

const trashWith = (onDelete: ParentPolicy) =>
  defineSoftDelete({
    tables: {
      events: { batch: 'batch', uniqueKeys: 'full' },
      sessions: { batch: 'batch', parents: { event_id: { table: 'events', onDelete } } },
    },
  })

describe.each([sqlite, postgres])("all or nothing in a caller's transaction, on $name", (engine) => {
  test('a refused delete that is caught leaves its row live, and the transaction goes on', async () => {
    await using it = await openFilled(engine)
    await it.db.transaction().execute(async (trx) => {
      await expect(softDelete(trx, trashWith('restrict'), 'events', 1)).rejects.toMatchObject({
        code: 'SOFT_DELETE_RESTRICTED',
      })
      await softDelete(trx, trashWith('restrict'), 'events', 4)
    })
    expect(await rowsOf(it.db.selectFrom('events').select('id'))).toBe('1 3')
  })

  test('a restore that meets a conflict half-way and is caught restores nothing', async () => {
    await using it = await openFilled(engine)
    const trash = trashWith('cascade')
    await sql`create unique index live_title on sessions (title) where deleted_at is null`.execute(it.plain)
    await softDelete(it.db, trash, 'events', 1)
    await it.plain.insertInto('sessions').values({ id: 50, event_id: 4, title: 's1' }).execute()
    await it.db.transaction().execute(async (trx) => {
      await expect(restore(trx, trash, 'events', 1)).rejects.toMatchObject({ code: 'SOFT_DELETE_CONFLICT' })
      await softDelete(trx, trash, 'events', 4)
    })
    expect(await rowsOf(it.db.selectFrom('events').select('id'))).toBe('3')
    await restore(it.db, trash, 'events', 1)
    expect(await rowsOf(it.db.selectFrom('sessions').select('id').where('event_id', '=', 1))).toBe('1')
  })

  test('an upsert that changed a row and could not revive it takes the change back', async () => {
    await using it = await openFilled(engine)
    await sql`create table cards (id integer primary key, event_id integer, title text, deleted_at text, batch text)`.execute(
      it.plain,
    )
    await sql`insert into cards values (1, 2, 'old', '2020', null)`.execute(it.plain)
    const trash = defineSoftDelete({
      tables: {
        events: { batch: 'batch' },
        cards: { batch: 'batch', parents: { event_id: { table: 'events', onDelete: 'cascade' } } },
      },
    })
    await it.db.transaction().execute(async (trx) => {
      const cards = trx.$extendTables<{ cards: { id: number; title: string } }>()
      await expect(
        upsert(cards, trash, 'cards', { id: 1, title: 'new' }, { key: ['id'], onTrashed: 'revive' }),
      ).rejects.toMatchObject({ code: 'SOFT_DELETE_PARENT_TRASHED' })
    })
    expect((await sql<{ title: string }>`select title from cards`.execute(it.plain)).rows).toEqual([{ title: 'old' }])
  })
})
