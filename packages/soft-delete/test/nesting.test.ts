import { CamelCasePlugin, sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { onlyTrashed, softDeletePlugin, withTrashed } from '../src/index.ts'
import { type Engine, openFilled, postgres, rowsOf, sqlite, TRASH } from './support/database.ts'

describe.each([sqlite, postgres])('queries inside queries, on $name', (engine: Engine) => {
  test('16. EXISTS, NOT EXISTS, IN and scalar subqueries are filtered, whoever built them', async () => {
    await using it = await openFilled(engine)
    const { db } = it
    const events = db.selectFrom('events').select('events.id')
    const ofEvent = db.selectFrom('sessions').select('sessions.event_id').where('event_id', 'is not', null)
    expect(await rowsOf(events.where('id', 'in', ofEvent))).toBe('1')
    expect(
      await rowsOf(
        events.where('id', 'not in', (eb) =>
          eb.selectFrom('sessions').select('event_id').where('event_id', 'is not', null),
        ),
      ),
    ).toBe('3 4')
    const sessions = sql.ref('sessions.event_id')
    expect(
      await rowsOf(
        events.where((eb) =>
          eb.exists(eb.selectFrom('sessions').select('sessions.id').where(sessions, '=', sql.ref('events.id'))),
        ),
      ),
    ).toBe('1')
    expect(
      await rowsOf(
        events.where((eb) =>
          eb.not(eb.exists(db.selectFrom('sessions').select('sessions.id').where(sessions, '=', sql.ref('events.id')))),
        ),
      ),
    ).toBe('3 4')
    const counted = events.select((eb) =>
      eb
        .selectFrom('sessions')
        .select(eb.fn.countAll().as('n'))
        .whereRef('sessions.event_id', '=', 'events.id')
        .as('n'),
    )
    expect(await rowsOf(counted)).toBe('1/1 3/0 4/0')
  })

  test('17. a subquery built from the database carries its predicate once, and keeps its scope', async () => {
    await using it = await openFilled(engine)
    const { db } = it
    const live = db.selectFrom('sessions').select('sessions.event_id').where('title', '<>', 's9')
    const once = db.selectFrom('events').select('id').where('id', 'in', live)
    expect(once.compile().sql.match(/deleted_at/g)).toHaveLength(2)
    const all = db.selectFrom('events').select('id').where('id', 'in', withTrashed(live))
    expect(await rowsOf(all)).toBe('1 3')
    const twice = db
      .selectFrom(
        db
          .selectFrom('people')
          .select('id')
          .where('id', 'in', db.selectFrom('events').select('owner_id').where('id', 'in', withTrashed(live)))
          .as('owners'),
      )
      .select('id')
    expect(await rowsOf(twice)).toBe('1 2')
  })

  test('17. it does so beside a plugin that copies the tree, in either order', async () => {
    await using it = await openFilled(engine)
    for (const plugins of [
      [new CamelCasePlugin(), softDeletePlugin(TRASH)],
      [softDeletePlugin(TRASH), new CamelCasePlugin()],
    ]) {
      const db = it.place.with(...plugins)
      const live = db.selectFrom('sessions').select('sessions.event_id')
      const query = db.selectFrom('events').select('id').where('id', 'in', live)
      expect(query.compile().sql.match(/deleted_at/g)).toHaveLength(2)
      expect(await rowsOf(db.selectFrom('events').select('id').where('id', 'in', withTrashed(live)))).toBe('1 3')
    }
  })

  test('18. aggregates, windows, HAVING, DISTINCT and LIMIT see live rows only', async () => {
    await using it = await openFilled(engine)
    const { db } = it
    const { fn } = db
    expect(await rowsOf(db.selectFrom('events').select([fn.countAll().as('n'), fn.sum('id').as('sum')]))).toBe('3/8')
    expect(await rowsOf(db.selectFrom('events').select(fn.count('owner_id').distinct().as('n')))).toBe('2')
    expect(
      await rowsOf(
        db
          .selectFrom('events')
          .select(['owner_id', fn.countAll().as('n')])
          .groupBy('owner_id')
          .having(fn.countAll(), '>', 1),
      ),
    ).toBe('')
    expect(await rowsOf(db.selectFrom('events').select(['id', sql`count(*) over ()`.as('n')]))).toBe('1/3 3/3 4/3')
    expect(await rowsOf(db.selectFrom('events').select('id').orderBy('id').limit(1).offset(1))).toBe('3')
    expect(await rowsOf(db.selectFrom('events').select('owner_id').distinct())).toBe('- 1 2')
  })

  if (engine.name === 'postgres') {
    test('18. DISTINCT ON picks among live rows', async () => {
      await using it = await openFilled(engine)
      const latest = it.db.selectFrom('events').select(['owner_id', 'id']).distinctOn('owner_id')
      expect(await rowsOf(latest.orderBy('owner_id').orderBy('id', 'desc'))).toBe('-/4 1/1 2/3')
    })
  }

  test('19. GROUP BY the primary key may select the other columns', async () => {
    await using it = await openFilled(engine)
    const grouped = it.db
      .selectFrom('events')
      .leftJoin('sessions', 'sessions.event_id', 'events.id')
      .select(['events.id', 'events.title', it.db.fn.count('sessions.id').as('n')])
      .groupBy('events.id')
    expect(await rowsOf(grouped)).toBe('1/one/1 3/three/0 4/four/0')
  })

  if (engine.name === 'postgres') {
    test('20. FOR UPDATE locks the live rows', async () => {
      await using it = await openFilled(engine)
      await it.db.transaction().execute(async (trx) => {
        expect(await rowsOf(trx.selectFrom('events').select('id').forUpdate())).toBe('1 3 4')
        const free = it.plain.selectFrom('events').select('id').forUpdate().skipLocked()
        expect(await rowsOf(free)).toBe('2')
      })
    })
  }

  test('21. each arm of a set operation is filtered, and scoped on its own', async () => {
    await using it = await openFilled(engine)
    const { db } = it
    const events = db.selectFrom('events').select('id')
    const sessions = db.selectFrom('sessions').select('id')
    expect(await rowsOf(events.union(sessions))).toBe('1 3 4 5')
    expect(await rowsOf(events.intersect(sessions))).toBe('1 3')
    expect(await rowsOf(events.except(sessions))).toBe('4')
    expect(await rowsOf(events.union(withTrashed(sessions)))).toBe('1 2 3 4 5')
    expect(await rowsOf(withTrashed(events).intersect(onlyTrashed(sessions)))).toBe('2 4')
  })

  test('22. a CTE is filtered inside, a reference to it never', async () => {
    await using it = await openFilled(engine)
    const named = it.db
      .with('sessions', (db) => db.selectFrom('events').select(['id', 'title']))
      .selectFrom('sessions')
      .select(['sessions.id'])
    expect(await rowsOf(named)).toBe('1 3 4')
    expect(named.compile().sql.match(/deleted_at/g)).toHaveLength(1)
  })

  if (engine.name === 'postgres') {
    test('23. a CTE that reads the table of its own name is filtered inside', async () => {
      await using it = await openFilled(engine)
      const named = it.db
        .with('events', (db) => db.selectFrom('events').select('id'))
        .selectFrom('events')
        .select('id')
      expect(await rowsOf(named)).toBe('1 3 4')
      expect(named.compile().sql.match(/deleted_at/g)).toHaveLength(1)
    })
  }

  test('23. the self-reference of a recursive CTE is not filtered', async () => {
    await using it = await openFilled(engine)
    const closure = it.db
      .withRecursive(
        'events(id)',
        (db) =>
          db
            .selectFrom('sessions')
            .select('sessions.event_id as id')
            .where('sessions.id', '=', 1)
            .union((eb) =>
              eb.selectFrom('events').innerJoin('sessions', 'sessions.id', 'events.id').select('sessions.id'),
            ) as never,
      )
      .selectFrom('events')
      .select('id')
    expect(await rowsOf(closure as never)).toBe('1')
    expect(closure.compile().sql).not.toContain('"events"."deleted_at"')
  })

  test('24. a CTE of a subquery does not hide the table elsewhere', async () => {
    await using it = await openFilled(engine)
    const query = it.db
      .selectFrom('sessions')
      .select('sessions.id')
      .where('sessions.id', 'in', (eb) =>
        eb
          .selectFrom(
            it.db
              .with('sessions', (db) => db.selectFrom('people').select('id'))
              .selectFrom('sessions')
              .select('id')
              .as('inner'),
          )
          .select('inner.id'),
      )
    expect(await rowsOf(query)).toBe('1')
    expect(query.compile().sql.match(/deleted_at/g)).toHaveLength(1)
  })

  test('26. INSERT … SELECT copies live rows only', async () => {
    await using it = await openFilled(engine)
    await it.db
      .insertInto('people')
      .columns(['name'])
      .expression((eb) => eb.selectFrom('events').select('title'))
      .execute()
    await it.db
      .insertInto('events')
      .columns(['title'])
      .expression(it.db.selectFrom('sessions').select('title'))
      .execute()
    expect(await rowsOf(it.plain.selectFrom('people').select('name'))).toBe('ada bob four one three')
    expect(await rowsOf(it.plain.selectFrom('events').select('title').where('id', '>', 4))).toBe('s1 s3 s5')
  })

  test('47. onlyTrashed survives embedding, in a full join too', async () => {
    await using it = await openFilled(engine)
    const { db } = it
    const trashed = onlyTrashed(db.selectFrom('events').select('events.id'))
    expect(await rowsOf(trashed)).toBe('2')
    expect(await rowsOf(db.selectFrom('sessions').select('id').where('event_id', 'in', trashed))).toBe('3')
    const full = onlyTrashed(
      db.selectFrom('events as e').fullJoin('sessions as s', 's.event_id', 'e.id').select(['e.id', 's.id as sid']),
      'e',
    )
    expect(await rowsOf(db.selectFrom(full.as('f')).selectAll())).toBe('-/1 -/5 2/3')
  })

  test('a scope names a reference as the query does', async () => {
    await using it = await openFilled(engine)
    const joined = it.db
      .selectFrom('events as e')
      .leftJoin('sessions as s', 's.event_id', 'e.id')
      .select(['e.id', 's.title'])
    expect(await rowsOf(withTrashed(joined, 's'))).toBe('1/s1 1/s2 3/s4 4/-')
    expect(await rowsOf(withTrashed(joined, 'e'))).toBe('1/s1 2/s3 3/- 4/-')
    expect(await rowsOf(onlyTrashed(joined, 's'))).toBe('1/s2 3/s4 4/-')
    expect(await rowsOf(onlyTrashed(withTrashed(joined), 'e'))).toBe('2/s3')
    const qualified = it.db.withSchema(it.place.schema).selectFrom('events').select('id')
    expect(await rowsOf(withTrashed(qualified, 'events'))).toBe('1 2 3 4')
  })

  test('48. a scope without the plugin changes nothing, the plugin twice adds nothing', async () => {
    await using it = await openFilled(engine)
    const build = (db: typeof it.plain) => withTrashed(db.selectFrom('events').select('id'))
    expect(build(it.plain).compile().sql.trim()).toBe('select "id" from "events"')
    expect(await rowsOf(build(it.plain))).toBe('1 2 3 4')
    const twice = it.place
      .with(softDeletePlugin(TRASH), softDeletePlugin(TRASH))
      .selectFrom('events')
      .fullJoin('sessions', 'sessions.event_id', 'events.id')
      .selectAll()
    expect(twice.compile().sql).toBe(
      it.db.selectFrom('events').fullJoin('sessions', 'sessions.event_id', 'events.id').selectAll().compile().sql,
    )
  })

  test('50. a query compiled once, streamed or explained carries the same predicate', async () => {
    await using it = await openFilled(engine)
    const query = it.db.selectFrom('events').select('id')
    const compiled = query.compile()
    for (let turn = 0; turn < 2; turn++) expect((await it.db.executeQuery(compiled)).rows).toHaveLength(3)
    expect((await query.explain()).length).toBeGreaterThan(0)
  })

  test('50. so does a streamed one', async () => {
    await using it = await openFilled(engine)
    const streamed = []
    for await (const row of it.db.selectFrom('events').select('id').orderBy('id').stream()) streamed.push(row.id)
    expect(streamed).toEqual([1, 3, 4])
  })

  test('50. a query that threw leaves nothing behind', async () => {
    await using it = await openFilled(engine)
    const bad = it.db
      .with('sessions', (db) => db.selectFrom('people').select('id'))
      .with('gone', (db) => db.deleteFrom('events').returning('id'))
      .selectFrom('sessions')
      .select('id')
    expect(() => bad.compile()).toThrow(expect.objectContaining({ code: 'SOFT_DELETE_DIRECT_DELETE' }))
    expect(await rowsOf(it.db.selectFrom('sessions').select('id'))).toBe('1 3 5')
  })
})
