import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { defineSoftDelete, type SoftDeleteError, softDeletePlugin, withTrashed } from '../src/index.ts'
import { type Engine, openFilled, postgres, rowsOf, sqlite, typesOf } from './support/database.ts'

describe.each([sqlite, postgres])('where the predicate goes, on $name', (engine: Engine) => {
  test('1. a table alone shows its live rows, aliased or not', async () => {
    await using it = await openFilled(engine)
    expect(await rowsOf(it.db.selectFrom('events').select('id'))).toBe('1 3 4')
    expect(await rowsOf(it.db.selectFrom('events as e').select('e.id'))).toBe('1 3 4')
    const { sql: text } = it.db.withSchema(it.place.schema).selectFrom('events').select('id').compile()
    expect(text).toContain(`"${it.place.schema}"."events"."deleted_at" is null`)
  })

  test('2. an OR beside the predicate keeps its meaning, raw or built', async () => {
    await using it = await openFilled(engine)
    const events = it.db.selectFrom('events').select('id')
    expect(await rowsOf(events.where(sql<boolean>`id = 1 or id = 2`))).toBe('1')
    expect(await rowsOf(events.where(sql`id = 1 or id`, '=', 2))).toBe('1')
    expect(await rowsOf(events.where('id', '=', sql<number>`1 or id = 2`))).toBe('1')
    expect(await rowsOf(events.where((eb) => eb.or([eb('id', '=', 1), eb('id', '=', 2)])))).toBe('1')
    expect(await rowsOf(events.where(sql<boolean>`id = 2 or id = 3`).where(sql<boolean>`id = 2 or id = 3`))).toBe('3')
  })

  test('3. a left join keeps the row whose partners are all trashed', async () => {
    await using it = await openFilled(engine)
    const joined = it.db.selectFrom('events').leftJoin('sessions', 'sessions.event_id', 'events.id')
    expect(await rowsOf(joined.select(['events.id', 'sessions.title']))).toBe('1/s1 3/- 4/-')
  })

  test('4. each of two left joins is filtered in its own ON', async () => {
    await using it = await openFilled(engine)
    const joined = it.db
      .selectFrom('events as e')
      .leftJoin('sessions as s', 's.event_id', 'e.id')
      .leftJoin('talks as t', 't.session_id', 's.id')
    expect(await rowsOf(joined.select(['e.id', 's.title as s', 't.title as t']))).toBe('1/s1/t1 3/-/- 4/-/-')
    const { sql: text } = joined.selectAll().compile()
    expect(text).toMatch(/on "s"\."event_id" = "e"\."id" and "s"\."deleted_at" is null left join/)
    expect(text).toMatch(/on "t"\."session_id" = "s"\."id" and "t"\."deleted_at" is null where/)
  })

  test('5. a right join is filtered on its own side: left in ON, right in WHERE', async () => {
    await using it = await openFilled(engine)
    const joined = it.db.selectFrom('sessions as s').rightJoin('events as e', 's.event_id', 'e.id')
    expect(await rowsOf(joined.select(['e.id', 's.title']))).toBe('1/s1 3/- 4/-')
    expect(joined.selectAll().compile().sql).toContain('"s"."deleted_at" is null where "e"."deleted_at" is null')
  })

  test('6. a full join shows no trashed row of either side', async () => {
    await using it = await openFilled(engine)
    const joined = it.db.selectFrom('events as e').fullJoin('sessions as s', 's.event_id', 'e.id')
    expect(await rowsOf(joined.select(['e.id', 's.title']))).toBe('-/s3 -/s5 1/s1 3/- 4/-')
  })

  test('6. below a full join an inner join is filtered in its own ON, a right join in a derived table', async () => {
    await using it = await openFilled(engine)
    const base = it.db.selectFrom('people as p')
    const inner = base.innerJoin('events as e', 'e.owner_id', 'p.id').fullJoin('sessions as s', 's.event_id', 'e.id')
    expect(await rowsOf(inner.select(['p.name', 'e.id', 's.title']))).toBe('-/-/s3 -/-/s5 ada/1/s1 bob/3/-')
    expect(inner.selectAll().compile().sql).toContain('on "e"."owner_id" = "p"."id" and "e"."deleted_at" is null')
    const right = base.rightJoin('events as e', 'e.owner_id', 'p.id').fullJoin('sessions as s', 's.event_id', 'e.id')
    expect(await rowsOf(right.select(['p.name', 'e.id', 's.title']))).toBe('-/-/s3 -/-/s5 -/4/- ada/1/s1 bob/3/-')
  })

  test('6. a full join of schema-qualified tables keeps its references', async () => {
    await using it = await openFilled(engine)
    const db = it.db.withSchema(it.place.schema)
    const joined = db
      .selectFrom('events')
      .fullJoin('sessions', 'sessions.event_id', 'events.id')
      .where((eb) => eb.exists(eb.selectFrom('people').select('people.id').whereRef('people.id', '<=', 'events.id')))
    expect(await rowsOf(joined.select(['events.id', 'sessions.title']))).toBe('1/s1 3/- 4/-')
  })

  test('7. cross joins and comma lists are filtered in WHERE', async () => {
    await using it = await openFilled(engine)
    const crossed = it.db.selectFrom('events as e').crossJoin('sessions as s').select(['e.id', 's.id as sid'])
    expect(await rowsOf(crossed)).toBe('1/1 1/3 1/5 3/1 3/3 3/5 4/1 4/3 4/5')
    expect(await rowsOf(it.db.selectFrom(['events as e', 'sessions as s']).select(['e.id', 's.id as sid']))).toBe(
      '1/1 1/3 1/5 3/1 3/3 3/5 4/1 4/3 4/5',
    )
  })

  test('7. an item beside a right join is gone before the join', async () => {
    await using it = await openFilled(engine)
    const joined = it.db
      .selectFrom(['events as e', 'people as p'])
      .rightJoin('sessions as s', (join) => join.on('p.id', '=', 1).onRef('s.id', '=', 'p.id'))
    const rows = await rowsOf(joined.select(['e.id', 's.id as sid']))
    // The comma binds weaker than a join in PostgreSQL, and no weaker in SQLite.
    expect(rows).toBe(engine.name === 'sqlite' ? '-/3 -/5 1/1 3/1 4/1' : '1/1 1/3 1/5 3/1 3/3 3/5 4/1 4/3 4/5')
  })

  test('8. an inner join without ON is filtered in WHERE', async () => {
    await using it = await openFilled(engine)
    const joined = it.db.selectFrom('events as e').innerJoin('sessions as s', (join) => join)
    const { sql: text } = joined.select(['e.id', 's.id as sid']).compile()
    expect(text).toMatch(/inner join "sessions" as "s" where/)
  })

  if (engine.name === 'sqlite') {
    test('8. SQLite takes such a join for a product', async () => {
      await using it = await openFilled(engine)
      const joined = it.db.selectFrom('events as e').innerJoin('sessions as s', (join) => join)
      expect(await joined.select('e.id').execute()).toHaveLength(9)
    })
  }

  if (engine.name === 'postgres') {
    test('9. a lateral join is filtered in its body', async () => {
      await using it = await openFilled(engine)
      const joined = it.db.selectFrom('events as e').leftJoinLateral(
        (eb) => eb.selectFrom('sessions as s').select('s.title').whereRef('s.event_id', '=', 'e.id').as('latest'),
        (join) => join.onTrue(),
      )
      expect(await rowsOf(joined.select(['e.id', 'latest.title']))).toBe('1/s1 3/- 4/-')
      expect(joined.selectAll().compile().sql).toContain('on true where')
    })
  }

  test('10. a self join is filtered once per alias', async () => {
    await using it = await openFilled(engine)
    const pairs = it.db
      .selectFrom(['events as a', 'events as b'])
      .whereRef('a.owner_id', '=', 'b.owner_id')
      .select(['a.id', 'b.id as bid'])
    expect(await rowsOf(pairs)).toBe('1/1 3/3')
    expect(pairs.compile().sql.match(/deleted_at/g)).toHaveLength(2)
  })

  test('11. the table behind an alias decides, not the alias', async () => {
    await using it = await openFilled(engine)
    expect(await rowsOf(it.db.selectFrom('people as events').select('events.id'))).toBe('1 2')
    const swapped = it.db.selectFrom('events as people').innerJoin('people as events', 'events.id', 'people.owner_id')
    expect(await rowsOf(swapped.select(['people.id', 'events.name']))).toBe('1/ada 3/bob')
  })

  test('12. two tables of one name are told apart by schema', async () => {
    await using it = await openFilled(engine)
    const { other, schema } = it.place
    await sql`create table ${sql.id(other, 'events')} (id ${typesOf(engine).key}, deleted_at ${typesOf(engine).moment})`.execute(
      it.plain,
    )
    await sql`insert into ${sql.id(other, 'events')} values (1, null), (3, '2026-01-01')`.execute(it.plain)
    const both = it.db
      .selectFrom([`${schema}.events` as 'events', `${other}.events` as 'sessions'])
      .select([sql.ref(`${schema}.events.id`).as('a'), sql.ref(`${other}.events.id`).as('b')])
    expect(await rowsOf(both)).toBe('1/1 3/1 4/1')
    const full = it.db
      .selectFrom(`${schema}.events` as 'events')
      .fullJoin(`${other}.events` as 'sessions', (join) =>
        join.on(sql.ref(`${schema}.events.id`), '=', sql.ref(`${other}.events.id`)),
      )
      .select([sql.ref(`${schema}.events.id`).as('a'), sql.ref(`${other}.events.id`).as('b')])
    expect(await rowsOf(full)).toBe('1/1 3/- 4/-')
  })

  test('13. an aliased table of a schema is named by its alias', async () => {
    await using it = await openFilled(engine)
    const aliased = it.db.withSchema(it.place.schema).selectFrom('events as e').select('e.id')
    expect(await rowsOf(aliased)).toBe('1 3 4')
    expect(aliased.compile().sql).toContain('where "e"."deleted_at" is null')
  })

  test('14. the configuration says in which schemas a table is meant', async () => {
    await using it = await openFilled(engine)
    const { schema } = it.place
    const shown = async (config: Parameters<typeof softDeletePlugin>[0]) =>
      rowsOf(it.place.with(softDeletePlugin(config)).withSchema(schema).selectFrom('events').select('id'))
    const tables = { events: true } as const
    expect(await shown(defineSoftDelete({ tables }))).toBe('1 3 4')
    expect(await shown(defineSoftDelete({ tables, schemas: [schema] }))).toBe('1 3 4')
    expect(await shown(defineSoftDelete({ tables, schemas: ['elsewhere'] }))).toBe('1 2 3 4')
    expect(await shown(defineSoftDelete({ tables: { [`${schema}.events`]: true } }))).toBe('1 3 4')
    expect(await shown(defineSoftDelete({ tables: { 'elsewhere.events': true } }))).toBe('1 2 3 4')
  })

  test('15. a view is read as it is, and created only with its rows decided', async () => {
    await using it = await openFilled(engine)
    await sql`create view all_events as select * from events`.execute(it.plain)
    expect(await rowsOf(it.db.selectFrom('all_events' as 'people').select('id'))).toBe('1 2 3 4')
    const events = it.db.selectFrom('events').select('id')
    expect(() => it.db.schema.createView('baked').as(events).compile()).toThrow(
      expect.objectContaining({ code: 'SOFT_DELETE_VIEW_UNDECIDED' } satisfies Partial<SoftDeleteError>),
    )
    await it.db.schema
      .createView('decided')
      .as(withTrashed(events).where('id', '>', 1))
      .execute()
    expect(await rowsOf(it.db.selectFrom('decided' as 'people').select('id'))).toBe('2 3 4')
  })
})
