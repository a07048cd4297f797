import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { softDelete, type SoftDeleteError, upsert, type UpsertOptions } from '../src/index.ts'
import { type Engine, openFilled, postgres, rowsOf, sqlite, type Tables, TRASH } from './support/database.ts'

const rows = (db: Awaited<ReturnType<typeof openFilled>>['plain']) =>
  rowsOf(
    db
      .selectFrom('events')
      .select(['title', sql<string>`case when deleted_at is null then 'live' else 'trashed' end`.as('state')])
      .where('slug', '=', 'b'),
  )

const KEY: Pick<UpsertOptions<Tables['events']>, 'key'> = { key: ['slug'] }

describe.each([sqlite, postgres])('upsert, on $name', (engine: Engine) => {
  describe.each([
    ['partial', sql` where deleted_at is null`],
    ['full', sql``],
  ] as const)('with a %s unique key', (kind, condition) => {
    async function open(): ReturnType<typeof openFilled> {
      const it = await openFilled(engine)
      await sql`create unique index slugs on events (slug)${condition}`.execute(it.plain)
      return it
    }

    test('36. a row that is not there is inserted, a live one updated', async () => {
      await using it = await open()
      const put = (slug: string) =>
        upsert(it.db, TRASH, 'events', { slug, title: 'put' }, { ...KEY, onTrashed: 'fail' })
      expect([await put('new'), await put('new'), await put('a')]).toEqual(['inserted', 'updated', 'updated'])
      expect(await rowsOf(it.db.selectFrom('events').select(['slug', 'title']))).toBe('a/put c/three d/four new/put')
      expect(
        await upsert(it.db, TRASH, 'events', { slug: 'a', title: 'x' }, { ...KEY, update: {}, onTrashed: 'fail' }),
      ).toBe('updated')
      expect(
        await upsert(
          it.db,
          TRASH,
          'events',
          { slug: 'a', title: 'x' },
          { ...KEY, update: { title: 'y' }, onTrashed: 'fail' },
        ),
      ).toBe('updated')
      expect(await rowsOf(it.db.selectFrom('events').select('title').where('slug', '=', 'a'))).toBe('y')
    })

    test('36. beside a trashed one it does what the policy says', async () => {
      await using it = await open()
      await softDelete(it.db, TRASH, 'events', 2)
      const put = (onTrashed: 'revive' | 'ignore' | 'fail') =>
        upsert(it.db, TRASH, 'events', { slug: 'b', title: 'put' }, { ...KEY, onTrashed })
      const isPartial = kind === 'partial'
      const failed = await put('fail').catch((error: unknown) => (error as SoftDeleteError).code)
      expect(failed).toBe(isPartial ? 'inserted' : 'SOFT_DELETE_CONFLICT')
      expect(await put('ignore')).toBe(isPartial ? 'updated' : 'ignored')
      expect(await rows(it.plain)).toBe(isPartial ? 'put/live two/trashed' : 'two/trashed')
      expect(await put('revive')).toBe(isPartial ? 'updated' : 'revived')
      expect(await rows(it.plain)).toBe(isPartial ? 'put/live two/trashed' : 'put/live')
    })
  })

  test('36. a row revived by an update that changes its key is live', async () => {
    await using it = await openFilled(engine)
    await sql`create unique index slugs on events (slug)`.execute(it.plain)
    const values = { slug: 'b', title: 'put' }
    const update = { slug: 'other' }
    expect(await upsert(it.db, TRASH, 'events', values, { ...KEY, update, onTrashed: 'revive' })).toBe('revived')
    expect(await rowsOf(it.db.selectFrom('events').select(['id', 'slug']).where('id', '=', 2))).toBe('2/other')
  })

  test('36. another unique key that is taken is a conflict, whichever statement meets it', async () => {
    await using it = await openFilled(engine)
    await sql`create unique index slugs on events (slug)`.execute(it.plain)
    const put = upsert(it.db, TRASH, 'events', { id: 4, slug: 'a', title: 'x' }, { key: ['id'], onTrashed: 'fail' })
    await expect(put).rejects.toMatchObject({ code: 'SOFT_DELETE_CONFLICT' })
  })
})

test('36. of several upserts at once one inserts', async () => {
  await using it = await openFilled(postgres)
  await sql`create unique index slugs on events (slug)`.execute(it.plain)
  const put = () => upsert(it.db, TRASH, 'events', { slug: 'new', title: 'put' }, { ...KEY, onTrashed: 'fail' })
  expect((await Promise.all([put(), put(), put(), put()])).toSorted()).toEqual([
    'inserted',
    'updated',
    'updated',
    'updated',
  ])
})
