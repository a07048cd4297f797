import { type Kysely, PostgresIntrospector, sql } from 'kysely'
import { describe, expect, test, vi } from 'vitest'

import {
  addSoftDeleteColumns,
  checkSchema,
  createLiveIndex,
  defineSoftDelete,
  dropSoftDeleteColumns,
  softDeletePlugin,
} from '../src/index.ts'
import { type Engine, postgres, sqlite, typesOf } from './support/database.ts'

const TRASH = defineSoftDelete({
  tables: {
    events: { batch: 'batch', deletedBy: 'deleted_by', retentionDays: 30 },
    sessions: { batch: 'batch', parents: { event_id: { table: 'events', onDelete: 'cascade' } } },
  },
})

describe.each([sqlite, postgres])('schema, on $name', (engine: Engine) => {
  async function open() {
    const place = await engine.open()
    const { key } = typesOf(engine)
    await sql`create table events (id ${key}, slug text, place text)`.execute(place.plain)
    await sql`create table sessions (id ${key}, event_id integer)`.execute(place.plain)
    return { place, db: place.with(softDeletePlugin(TRASH)), [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() }
  }

  const codes = async (db: Kysely<never>) =>
    (await checkSchema(db, TRASH)).map(({ table, code }) => `${table}: ${code}`)

  test('a table that was never prepared lacks its columns', async () => {
    await using it = await open()
    expect(await codes(it.db as never)).toEqual([
      'events: missing-column',
      'events: missing-column',
      'events: missing-column',
      'sessions: missing-column',
      'sessions: missing-column',
      'sessions: unindexed',
    ])
    const elsewhere = defineSoftDelete({ tables: { nowhere: true } })
    expect(await checkSchema(it.db, elsewhere)).toMatchObject([{ table: 'nowhere', code: 'missing-table' }])
  })

  test('the helpers add what is missing, and its fixes are statements that mend the rest', async () => {
    await using it = await open()
    await addSoftDeleteColumns(it.db, TRASH, 'events')
    await addSoftDeleteColumns(it.db, TRASH, 'sessions')
    expect(await codes(it.db as never)).toEqual(['events: unindexed', 'events: unindexed', 'sessions: unindexed'])
    for (const { fix } of await checkSchema(it.db, TRASH)) await sql.raw(fix!).execute(it.place.plain)
    expect(await checkSchema(it.db, TRASH)).toEqual([])
    await dropSoftDeleteColumns(it.db, TRASH, 'sessions')
    expect(await codes(it.db as never)).toEqual(['sessions: missing-column', 'sessions: missing-column'])
  })

  test('39. unique keys that soft deletion breaks are told apart', async () => {
    await using it = await open()
    await addSoftDeleteColumns(it.db, TRASH, 'events')
    await sql`create unique index full_key on events (slug)`.execute(it.place.plain)
    await sql`create unique index marker_key on events (place, deleted_at)`.execute(it.place.plain)
    const found = (await checkSchema(it.db, TRASH)).filter(({ code }) => code.includes('unique'))
    const named = new Map(found.map(({ code, message }) => [code, message.match(/"(\w+)"/)?.[1]]))
    expect(Object.fromEntries(named)).toEqual({
      'full-unique-key': 'full_key',
      'unique-with-marker': 'marker_key',
    })
    await sql`drop index full_key`.execute(it.place.plain)
    await sql`drop index marker_key`.execute(it.place.plain)
    for (const { fix } of found) await sql.raw(fix!).execute(it.place.plain)
    expect((await codes(it.db as never)).filter((code) => code.includes('unique'))).toEqual([])
  })

  test('39. no fix is offered that would bind other rows than the key does', async () => {
    await using it = await open()
    await addSoftDeleteColumns(it.db, TRASH, 'events')
    await sql`create unique index by_lower on events (lower(slug), place)`.execute(it.place.plain)
    await sql`create unique index placed on events (slug) where place is not null`.execute(it.place.plain)
    if (engine.name === 'postgres') {
      await sql`create unique index covering on events (slug) include (place)`.execute(it.place.plain)
    }
    const found = (await checkSchema(it.db, TRASH)).filter(({ code }) => code === 'full-unique-key')
    const fixes = Object.fromEntries(found.map(({ message, fix }) => [message.match(/"(\w+)"/)![1], fix]))
    expect(fixes).toStrictEqual({
      by_lower: undefined,
      placed: undefined,
      ...(engine.name === 'postgres' && {
        covering: 'create unique index "events_slug_live" on "events" ("slug") where "deleted_at" is null',
      }),
    })
  })

  test('37. a live unique index lets a value of a trashed row be used again, once', async () => {
    await using it = await open()
    await addSoftDeleteColumns(it.db, TRASH, 'events')
    await createLiveIndex(it.db, TRASH, 'events', ['slug'], { unique: true })
    await sql`insert into events (slug, deleted_at) values ('a', current_timestamp), ('a', current_timestamp), ('a', null)`.execute(
      it.place.plain,
    )
    await expect(sql`insert into events (slug) values ('a')`.execute(it.place.plain)).rejects.toThrow(/unique/i)
  })

  test('a marker column that refuses null is found', async () => {
    await using it = await open()
    await sql`create table strict (id ${typesOf(engine).key}, deleted_at text not null)`.execute(it.place.plain)
    expect(await checkSchema(it.db, defineSoftDelete({ tables: { strict: true } }))).toMatchObject([
      { code: 'not-nullable' },
    ])
  })
})

test('39. NULLS NOT DISTINCT binds live rows, so it is no finding', async () => {
  await using place = await postgres.open()
  await sql`create table events (id integer primary key, slug text, deleted_at timestamptz, unique nulls not distinct (slug, deleted_at))`.execute(
    place.plain,
  )
  expect(await checkSchema(place.plain, defineSoftDelete({ tables: { events: true } }))).toEqual([])
})

test('a table that somebody drops meanwhile, in whatever schema, does not end the check', async () => {
  await using place = await postgres.open()
  await sql`create table events (id integer primary key, deleted_at timestamptz)`.execute(place.plain)
  const gone = Object.assign(new Error('relation "other.events" does not exist'), { code: '42P01' })
  const look = vi.spyOn(PostgresIntrospector.prototype, 'getTables').mockRejectedValueOnce(gone)
  expect(await checkSchema(place.plain, defineSoftDelete({ tables: { events: true } }))).toEqual([])
  look.mockRejectedValue(gone)
  await expect(checkSchema(place.plain, defineSoftDelete({ tables: { events: true } }))).rejects.toBe(gone)
})
