import { CamelCasePlugin, type Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import {
  camelCaseNames,
  defineSoftDelete,
  hardDelete,
  live,
  onlyTrashed,
  permanently,
  restore,
  softDelete,
  softDeletePlugin,
  withTrashed,
} from '../src/index.ts'
import {
  createTables,
  type Engine,
  fillTables,
  openFilled,
  postgres,
  rowsOf,
  sqlite,
  TRASH,
} from './support/database.ts'

const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

describe.each([sqlite, postgres])('writes, on $name', (engine: Engine) => {
  test('27. UPDATE leaves trashed rows alone and does not count them', async () => {
    await using it = await openFilled(engine)
    const result = await it.db.updateTable('events').set({ title: 'new' }).executeTakeFirst()
    expect(result.numUpdatedRows).toBe(3n)
    expect(await rowsOf(it.plain.selectFrom('events').select(['id', 'title']))).toBe('1/new 2/two 3/new 4/new')
    await withTrashed(it.db.updateTable('events')).set({ title: 'all' }).execute()
    await onlyTrashed(it.db.updateTable('events as e')).set({ title: 'trash' }).execute()
    expect(await rowsOf(it.plain.selectFrom('events').select(['id', 'title']))).toBe('1/all 2/trash 3/all 4/all')
  })

  test('28. a trashed row cannot drive UPDATE … FROM', async () => {
    await using it = await openFilled(engine)
    const update = it.db
      .updateTable('people as p')
      .from('events as e')
      .set({ name: 'changed' })
      .whereRef('p.id', '=', 'e.owner_id')
    await update.where('e.id', '=', 2).execute()
    expect(await rowsOf(it.plain.selectFrom('people').select('name'))).toBe('ada bob')
    await it.db
      .updateTable('events as e')
      .from('people as p')
      .leftJoin('sessions as s', 's.id', 'p.id')
      .set((eb) => ({ title: eb.fn.coalesce('s.title', sql<string>`'none'`) }))
      .whereRef('p.id', '=', 'e.owner_id')
      .execute()
    expect(await rowsOf(it.plain.selectFrom('events').select(['id', 'title']))).toBe('1/s1 2/two 3/none 4/four')
  })

  test('29. the guard names the helper, wherever the delete stands', async () => {
    await using it = await openFilled(engine)
    const { db } = it
    const message = /softDelete\(\).*hardDelete\(\)/
    expect(() => db.deleteFrom('events').compile()).toThrow(message)
    expect(() => db.deleteFrom('events as e').where('e.id', '=', 1).compile()).toThrow(
      code('SOFT_DELETE_DIRECT_DELETE'),
    )
    await db.transaction().execute(async (trx) => {
      await expect(trx.deleteFrom('events').execute()).rejects.toThrow(code('SOFT_DELETE_DIRECT_DELETE'))
    })
    const nested = db
      .with('gone', (q) => q.deleteFrom('events').returning('id'))
      .selectFrom('gone')
      .selectAll()
    expect(() => nested.compile()).toThrow(code('SOFT_DELETE_DIRECT_DELETE'))
    expect(
      (await db.deleteFrom('people').where('id', 'in', db.selectFrom('events').select('id')).executeTakeFirst())
        .numDeletedRows,
    ).toBe(1n)
  })

  test('29. softDelete trashes once: the second call changes nothing', async () => {
    await using it = await openFilled(engine)
    const [first, second] = [
      await softDelete(it.db, TRASH, 'events', 1, { by: 'ada', newBatch: () => 'b1' }),
      await softDelete(it.db, TRASH, 'events', [1, 2, 99], { by: 'bob' }),
    ]
    expect(first).toEqual({ count: 1, cascaded: {}, batch: 'b1' })
    expect(second.count).toBe(0)
    const row = await it.plain.selectFrom('events').selectAll().where('id', '=', 1).executeTakeFirstOrThrow()
    expect(row).toMatchObject({ deleted_by: 'ada', batch: 'b1', deleted_at: expect.anything() })
  })

  test('29. rows are chosen by key, by keys or by condition', async () => {
    await using it = await openFilled(engine)
    const raw = await softDelete(it.db, TRASH, 'events', () => sql<boolean>`events.id = 1 or events.id = 2`)
    const built = await softDelete(it.db, TRASH, 'events', (eb) => eb.or([eb('id', '=', 3), eb('id', '=', 2)]))
    expect([raw.count, built.count]).toEqual([1, 1])
    expect((await softDelete(it.db, TRASH, 'events', [])).count).toBe(0)
    expect((await softDelete(it.plain, TRASH, 'events', [4])).count).toBe(1)
    await expect(softDelete(it.db, TRASH, 'people' as 'events', 1)).rejects.toThrow(code('SOFT_DELETE_NOT_CONFIGURED'))
  })

  test('33. hardDelete and permanently() reach live and trashed rows; the actions of the database run', async () => {
    await using it = await openFilled(engine)
    await sql`create table notes (id integer primary key, event_id integer references events on delete cascade)`.execute(
      it.plain,
    )
    await sql`insert into notes values (1, 2), (2, 4)`.execute(it.plain)
    expect(await hardDelete(it.db, TRASH, 'talks', [1, 2])).toEqual({ count: 2 })
    await expect(permanently(it.db.deleteFrom('sessions')).execute()).rejects.toThrow(/foreign key/i)
    await hardDelete(it.db, TRASH, 'talks', 3)
    await permanently(it.db.deleteFrom('sessions')).execute()
    expect((await hardDelete(it.db, TRASH, 'events', (eb) => eb('id', 'in', [2, 4]))).count).toBe(2)
    expect(await rowsOf(it.plain.selectFrom('notes' as 'people').select('id'))).toBe('')
  })

  test('34. a soft delete fires no action of the database', async () => {
    await using it = await openFilled(engine)
    await softDelete(it.db, TRASH, 'events', 1)
    expect(await rowsOf(it.plain.selectFrom('sessions').select('id').where('event_id', '=', 1))).toBe('1 2')
  })

  test('36. an upsert that may meet a trashed row is refused until its policy is chosen', async () => {
    await using it = await openFilled(engine)
    await sql`create unique index full_slug on events (slug)`.execute(it.plain)
    const open = (onConflict?: 'revive' | 'ignore') =>
      it.place.with(
        softDeletePlugin(
          defineSoftDelete({
            tables: { events: { batch: 'batch', uniqueKeys: 'full', ...(onConflict && { onConflict }) } },
          }),
        ),
      )
    const upsert = (db: typeof it.db) =>
      db
        .insertInto('events')
        .values({ title: 'again', slug: 'b' })
        .onConflict((oc) => oc.column('slug').doUpdateSet({ title: 'again' }))
    const insert = (db: typeof it.db) =>
      db
        .insertInto('events')
        .values({ title: 'again', slug: 'b' })
        .onConflict((oc) => oc.column('slug').doNothing())
    expect(() => upsert(open()).compile()).toThrow(code('SOFT_DELETE_UPSERT_UNDECIDED'))
    expect(() => insert(open()).compile()).toThrow(code('SOFT_DELETE_UPSERT_UNDECIDED'))
    const title = () =>
      rowsOf(
        it.plain
          .selectFrom('events')
          .select(['title', sql`deleted_at is null`.as('live')])
          .where('slug', '=', 'b'),
      )
    await upsert(open('ignore')).execute()
    expect(await title()).toMatch(/^two\/(0|false)$/)
    await insert(open('revive')).execute()
    expect(await title()).toMatch(/^two\/(1|true)$/)
    await softDelete(it.db, TRASH, 'events', 2)
    await upsert(open('revive').withSchema(it.place.schema)).execute()
    expect(await title()).toMatch(/^again\/(1|true)$/)
    await insert(open('revive')).execute()
    expect(await title()).toMatch(/^again\/(1|true)$/)
  })

  test('36. the primary key meets trashed rows whatever the other keys are', async () => {
    await using it = await openFilled(engine)
    const byKey = it.db
      .insertInto('events')
      .values({ id: 2, title: 'x' })
      .onConflict((oc) => oc.column('id').doUpdateSet({ title: 'x' }))
    expect(() => byKey.compile()).toThrow(code('SOFT_DELETE_UPSERT_UNDECIDED'))
    await withTrashed(byKey).execute()
    expect(await rowsOf(it.plain.selectFrom('events').select('title').where('id', '=', 2))).toBe('x')
  })

  test('37. with a partial unique index an upsert makes a new row beside the trashed one', async () => {
    await using it = await openFilled(engine)
    await sql`create unique index live_slug on events (slug) where deleted_at is null`.execute(it.plain)
    const upsert = (slug: string) =>
      it.db
        .insertInto('events')
        .values({ title: 'new', slug })
        .onConflict((oc) => oc.column('slug').doUpdateSet({ title: 'met' }))
        .execute()
    await upsert('b')
    await upsert('a')
    expect(await rowsOf(it.db.selectFrom('events').select(['slug', 'title']))).toBe('a/met b/new c/three d/four')
    expect(await rowsOf(onlyTrashed(it.db.selectFrom('events').select(['slug', 'title'])))).toBe('b/two')
  })

  test('38. a condition of the caller stays as it is', async () => {
    await using it = await openFilled(engine)
    await sql`create unique index live_slug on events (slug) where deleted_at is null`.execute(it.plain)
    const query = it.db
      .insertInto('events')
      .values({ title: 'n', slug: 'a' })
      .onConflict((oc) =>
        oc
          .column('slug')
          .where('deleted_at', 'is', null)
          .doUpdateSet({ title: 'met' })
          .where('events.title', '<>', 'x'),
      )
    expect(query.compile().sql).toMatch(
      /\("slug"\) where "deleted_at" is null do update set "title" = \S+ where "events"\."title" <> \S+$/,
    )
    await query.execute()
    expect(await rowsOf(it.db.selectFrom('events').select('title').where('slug', '=', 'a'))).toBe('met')
  })

  test('40. a restore beside a live twin is a conflict', async () => {
    await using it = await openFilled(engine)
    await sql`create unique index live_slug on events (slug) where deleted_at is null`.execute(it.plain)
    await it.db.insertInto('events').values({ title: 'twin', slug: 'b' }).execute()
    await expect(restore(it.db, TRASH, 'events', 2)).rejects.toThrow(code('SOFT_DELETE_CONFLICT'))
    expect(await rowsOf(onlyTrashed(it.db.selectFrom('events').select('id')))).toBe('2')
  })

  if (engine.name === 'postgres') {
    test('41. the source of a MERGE is filtered before it is matched', async () => {
      await using it = await openFilled(engine)
      await it.db
        .mergeInto('people as p')
        .using('events as e', 'e.id', 'p.id')
        .whenMatched()
        .thenUpdateSet((eb) => ({ name: eb.ref('e.title') }))
        .whenNotMatched()
        .thenInsertValues((eb) => ({ id: eb.ref('e.id'), name: eb.ref('e.title') }))
        .execute()
      expect(await rowsOf(it.plain.selectFrom('people').select(['id', 'name']))).toBe('1/one 2/bob 3/three 4/four')
    })

    test('41. a MERGE into a soft-deletable table is refused rather than guessed', async () => {
      await using it = await openFilled(engine)
      const merge = it.db.mergeInto('events as e').using('people as p', 'e.id', 'p.id').whenMatched()
      expect(() => merge.thenUpdateSet({ title: 'x' }).compile()).toThrow(code('SOFT_DELETE_UNSUPPORTED'))
      expect(() => withTrashed(merge.thenDelete()).compile()).toThrow(code('SOFT_DELETE_UNSUPPORTED'))
      await withTrashed(merge.thenUpdateSet({ title: 'x' })).execute()
      expect(await rowsOf(it.plain.selectFrom('events').select(['id', 'title']).where('title', '=', 'x'))).toBe(
        '1/x 2/x',
      )
    })
  }

  if (engine.name === 'sqlite') {
    test.each(['replace', 'insert or replace'])('42. %s removes rows for good, as documented', async (how) => {
      await using it = await openFilled(engine)
      const row = { id: 4, title: 'other' }
      await (
        how === 'replace' ? it.db.replaceInto('events').values(row) : it.db.insertInto('events').orReplace().values(row)
      ).execute()
      expect(await rowsOf(it.plain.selectFrom('events').select(['title', 'slug']).where('id', '=', 4))).toBe('other/-')
    })
  }

  if (engine.name === 'postgres') {
    test('42. TRUNCATE passes through and spares no trashed row', async () => {
      await using it = await openFilled(engine)
      await sql`truncate table sessions, events cascade`.execute(it.db)
      expect(await rowsOf(it.plain.selectFrom('events').select('id'))).toBe('')
    })
  }

  test('42. DROP passes through', async () => {
    await using it = await openFilled(engine)
    const drop = it.db.schema.dropTable('events')
    expect(drop.compile().sql).toBe(it.plain.schema.dropTable('events').compile().sql)
  })

  test('49. tables of the migrator are never touched', async () => {
    await using it = await openFilled(engine)
    const query = it.db.selectFrom('kysely_migration_lock' as 'people').selectAll()
    expect(query.compile().sql).toBe('select * from "kysely_migration_lock"')
  })

  test('raw SQL is not filtered; strict mode refuses it unless live() is in it', async () => {
    await using it = await openFilled(engine)
    const strict = it.place.with(softDeletePlugin(TRASH, { strict: true }))
    expect((await sql`select id from events`.execute(it.db)).rows).toHaveLength(4)
    for (const raw of [
      sql`select id from events`,
      sql`select id from ${sql.table('events')}`,
      sql`select id from "events" as e`,
      sql`select 1 from people, SESSIONS`,
    ]) {
      await expect(async () => raw.execute(strict)).rejects.toThrow(code('SOFT_DELETE_RAW_SQL'))
    }
    expect(() =>
      strict
        .selectFrom('people')
        .select(sql`(select count(*) from events)`.as('n'))
        .compile(),
    ).toThrow(code('SOFT_DELETE_RAW_SQL'))
    expect((await sql`select id from events as e where ${live('e')}`.execute(strict)).rows).toHaveLength(3)
    expect(
      await rowsOf(
        strict
          .selectFrom('events')
          .select('id')
          .where(sql<boolean>`events.id > 1`),
      ),
    ).toBe('3 4')
    expect(await rowsOf(strict.selectFrom(sql.table('events').as('e') as never).select('e.id' as never))).toBe('1 3 4')
  })

  test('a query without a configured table is the very same object', async () => {
    await using it = await openFilled(engine)
    const plugin = softDeletePlugin(TRASH)
    const node = it.plain
      .with('x', (q) => q.selectFrom('people').selectAll())
      .selectFrom('x')
      .leftJoin('people', 'people.id', 'x.id')
      .selectAll()
      .where('x.id', 'in', [1, 2])
      .toOperationNode()
    expect(plugin.transformQuery({ node, queryId: { queryId: 'q' } })).toBe(node)
  })

  test('helpers work behind a schema and on an instance without the plugin', async () => {
    await using it = await openFilled(engine)
    const db = it.place.with(softDeletePlugin(TRASH, { strict: true })).withSchema(it.place.schema)
    expect((await softDelete(db, TRASH, 'events', [1, 3])).count).toBe(2)
    expect((await restore(db, TRASH, 'events', [1, 3])).count).toBe(2)
    expect((await restore(it.plain, TRASH, 'events', 2)).count).toBe(1)
    expect(await rowsOf(it.db.selectFrom('events').select(['id', 'batch', 'deleted_by', 'deleted_at']))).toBe(
      '1/-/-/- 2/-/-/- 3/-/-/- 4/-/-/-',
    )
  })
})

test('helpers take the names of queries beside CamelCasePlugin', async () => {
  await using it = await sqlite.open()
  await sql`create table event_logs (id integer primary key, deleted_at text, deleted_batch text)`.execute(it.plain)
  await sql`create table log_lines (id integer primary key, event_log_id integer, deleted_at text, deleted_batch text)`.execute(
    it.plain,
  )
  const trash = defineSoftDelete({
    tables: {
      eventLogs: { batch: 'deletedBatch' },
      logLines: { batch: 'deletedBatch', parents: { eventLogId: { table: 'eventLogs', onDelete: 'cascade' } } },
    },
    databaseName: camelCaseNames(),
  })
  interface Camel {
    eventLogs: { id: number }
    logLines: { id: number; eventLogId: number }
  }
  const db = it.with(new CamelCasePlugin(), softDeletePlugin(trash)) as unknown as Kysely<Camel>
  await db.insertInto('eventLogs').values({ id: 1 }).execute()
  await db
    .insertInto('logLines')
    .values([
      { id: 1, eventLogId: 1 },
      { id: 2, eventLogId: 1 },
    ])
    .execute()
  await softDelete(db, trash, 'logLines', 2)
  expect(await softDelete(db, trash, 'eventLogs', 1)).toMatchObject({ count: 1, cascaded: { log_lines: 1 } })
  await expect(restore(db, trash, 'logLines', [1])).rejects.toThrow(code('SOFT_DELETE_PARENT_TRASHED'))
  expect(await restore(db, trash, 'eventLogs', 1)).toEqual({ count: 1, cascaded: { log_lines: 1 } })
  expect(await rowsOf(db.selectFrom('logLines').select('id'))).toBe('1')
})

test('39. two live rows may share a value when the key holds the marker column: nulls are distinct', async () => {
  await using it = await sqlite.open()
  await createTables(it)
  await sql`create unique index with_marker on events (slug, deleted_at)`.execute(it.plain)
  await fillTables(it)
  await it.plain.insertInto('events').values({ title: 'twin', slug: 'a' }).execute()
  expect(
    await rowsOf(it.with(softDeletePlugin(TRASH)).selectFrom('events').select('slug').where('slug', '=', 'a')),
  ).toBe('a a')
})
