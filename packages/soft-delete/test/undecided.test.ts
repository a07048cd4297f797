import { CamelCasePlugin, sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { camelCaseNames, defineSoftDelete, onlyTrashed, softDeletePlugin, withTrashed } from '../src/index.ts'
import { openFilled, postgres, rowsOf, sqlite, TRASH } from './support/database.ts'

const UPSERT_UNDECIDED = expect.objectContaining({ code: 'SOFT_DELETE_UPSERT_UNDECIDED' }) as Error
const RAW_SQL = expect.objectContaining({ code: 'SOFT_DELETE_RAW_SQL' }) as Error

describe.each([sqlite, postgres])('what is refused rather than guessed, on $name', (engine) => {
  test('15. a view is refused wherever in it the table is named', async () => {
    await using it = await openFilled(engine)
    const { db } = it
    const bodies = [
      db
        .selectFrom('people')
        .select('id')
        .where((eb) => eb.exists(eb.selectFrom('events').select('events.id'))),
      db.selectFrom('people').select('id').union(db.selectFrom('events').select('id')),
      db
        .with('c', (own) => own.selectFrom('events').select('id'))
        .selectFrom('c')
        .select('id'),
      db.selectFrom('people').fullJoin('events', 'events.owner_id', 'people.id').select('people.id'),
      db
        .selectFrom(
          withTrashed(db.selectFrom('events').select('id')).unionAll(db.selectFrom('sessions').select('id')).as('t'),
        )
        .select('id'),
    ]
    for (const body of bodies) {
      expect(() => db.schema.createView('v').as(body).compile()).toThrow(
        expect.objectContaining({ code: 'SOFT_DELETE_VIEW_UNDECIDED' }),
      )
    }
    await db.schema
      .createView('v')
      .as(
        db
          .selectFrom('people')
          .select('id')
          .union(withTrashed(db.selectFrom('events').select('id')))
          .union(onlyTrashed(db.selectFrom('sessions').select('id'))),
      )
      .execute()
    const { rows } = await sql<{ id: number }>`select id from v`.execute(it.plain)
    expect(rows.length).toBe(4)
  })

  test('37. a conflict clause whose index has another condition may meet a trashed row', async () => {
    await using it = await openFilled(engine)
    await sql`create unique index owned_slug on events (slug) where owner_id is not null`.execute(it.plain)
    const upsertInto = (db: typeof it.db) =>
      db
        .insertInto('events')
        .values({ title: 'new', slug: 'b', owner_id: 5 })
        .onConflict((conflict) =>
          conflict.column('slug').where('owner_id', 'is not', null).doUpdateSet({ title: 'new' }),
        )
    expect(() => upsertInto(it.db).compile()).toThrow(UPSERT_UNDECIDED)
    const reviving = defineSoftDelete({ tables: { events: { onConflict: 'revive' } } })
    await upsertInto(it.place.with(softDeletePlugin(reviving))).execute()
    expect(await rowsOf(it.db.selectFrom('events').select(['id', 'title']).where('slug', '=', 'b'))).toBe('2/new')
  })

  test('37. a condition of an index that says live is left as it is', async () => {
    await using it = await openFilled(engine)
    const query = it.db
      .insertInto('events')
      .values({ title: 'new', slug: 'b' })
      .onConflict((conflict) =>
        conflict.column('slug').where('owner_id', 'is not', null).where('deleted_at', 'is', null).doNothing(),
      )
    expect(query.compile().sql).toContain('where "owner_id" is not null and "deleted_at" is null do nothing')
  })

  test('36. a primary key is recognised before a CamelCasePlugin', async () => {
    await using it = await openFilled(engine)
    await sql`create table cards (card_id integer primary key, title text, deleted_at text, deleted_by text)`.execute(
      it.plain,
    )
    await sql`insert into cards values (1, 'old', '2020', 'ada')`.execute(it.plain)
    const databaseName = camelCaseNames()
    const upsertInto = (onConflict: 'fail' | 'revive') => {
      const trash = defineSoftDelete({
        tables: { cards: { key: 'cardId', deletedBy: 'deletedBy', onConflict } },
        databaseName,
      })
      return it.place
        .with(softDeletePlugin(trash), new CamelCasePlugin())
        .$extendTables<{ cards: { cardId: number; title: string; deletedBy: string | null } }>()
        .insertInto('cards')
        .values({ cardId: 1, title: 'new', deletedBy: null })
        .onConflict((conflict) => conflict.column('cardId').doUpdateSet({ title: 'new', deletedBy: null }))
    }
    expect(() => upsertInto('fail').compile()).toThrow(UPSERT_UNDECIDED)
    await upsertInto('revive').execute()
    const { rows } = await sql`select title, deleted_at, deleted_by from cards`.execute(it.plain)
    expect(rows).toEqual([{ title: 'new', deleted_at: null, deleted_by: null }])
  })

  test('36. INSERT IGNORE follows the policy of the table', async () => {
    await using it = await openFilled(engine)
    const ignoring = (onConflict: 'fail' | 'ignore' | 'revive') =>
      it.place
        .with(softDeletePlugin(defineSoftDelete({ tables: { events: { onConflict } } })))
        .insertInto('events')
        .orIgnore()
        .values({ id: 2, title: 'new' })
    expect(() => ignoring('fail').compile()).toThrow(UPSERT_UNDECIDED)
    expect(() => ignoring('revive').compile()).toThrow(expect.objectContaining({ code: 'SOFT_DELETE_UNSUPPORTED' }))
    expect(ignoring('ignore').compile().sql).toContain('ignore')
    expect(withTrashed(ignoring('fail')).compile().sql).toContain('ignore')
  })

  test('sql.id() names a table as sql.table() does', async () => {
    await using it = await openFilled(engine)
    const strict = it.place.with(softDeletePlugin(TRASH, { strict: true }))
    const names = [sql.id('events'), sql.id(it.place.schema, 'events')]
    for (const name of names) {
      expect(() => sql`select id from ${name}`.compile(strict)).toThrow(RAW_SQL)
      const rows = it.db.selectFrom(sql<{ id: number }>`${name}`.as('e')).select('e.id')
      expect(await rowsOf(rows)).toBe('1 3 4')
    }
    expect(sql`select id from ${sql.id('people')}`.compile(strict).sql).toContain('people')
  })

  test('strict mode without tables refuses nothing', async () => {
    await using it = await openFilled(engine)
    const strict = it.place.with(softDeletePlugin(defineSoftDelete({ tables: {} }), { strict: true }))
    expect((await sql`select * from events`.execute(strict)).rows.length).toBe(4)
  })
})

test('41. MERGE that does nothing removes nothing', async () => {
  await using it = await openFilled(postgres)
  const merge = it.db.mergeInto('events').using('people', 'people.id', 'events.id').whenMatched()
  await withTrashed(merge.thenDoNothing()).execute()
  expect(() => withTrashed(merge.thenDelete()).compile()).toThrow(/THEN DELETE/)
})
