import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import { describe, expect, test } from 'vitest'

import { camelCaseNames, defineSoftDelete, softDeletePlugin, withTrashed } from './index.ts'

describe('defineSoftDelete', () => {
  const cascade = { table: 'events', onDelete: 'cascade' } as const

  test.each([
    ['an empty table name', () => defineSoftDelete({ tables: { '': true } })],
    ['too many dots', () => defineSoftDelete({ tables: { 'a.b.c': true } })],
    ['an empty column', () => defineSoftDelete({ tables: { events: { column: '' } } })],
    ['a retention of zero', () => defineSoftDelete({ tables: { events: { retentionDays: 0 } } })],
    ['a retention that is no number', () => defineSoftDelete({ tables: { events: { retentionDays: Number.NaN } } })],
    [
      'an unknown parent',
      () => defineSoftDelete({ tables: { sessions: { batch: 'b', parents: { event_id: cascade } } } }),
    ],
    [
      'a parent without batch',
      () => defineSoftDelete({ tables: { events: true, sessions: { batch: 'b', parents: { event_id: cascade } } } }),
    ],
    [
      'a cascade without batch',
      () => defineSoftDelete({ tables: { events: { batch: 'b' }, sessions: { parents: { event_id: cascade } } } }),
    ],
    [
      'a table named twice',
      () => defineSoftDelete({ tables: { eventLogs: true, event_logs: true }, databaseName: camelCaseNames() }),
    ],
  ])('refuses %s', (_, define) => {
    expect(define).toThrow(expect.objectContaining({ code: 'SOFT_DELETE_CONFIG' }))
  })

  test('fills in the defaults', () => {
    const { tables } = defineSoftDelete({ tables: { events: true } })
    expect(tables.get('events')).toMatchObject({
      name: 'events',
      column: 'deleted_at',
      key: 'id',
      batch: undefined,
      uniqueKeys: 'partial',
      onConflict: 'fail',
    })
  })
})

interface Camel {
  eventLogs: { id: number; eventId: number; deletedAt: string | null }
}

describe.each([
  ['before', (plugin: ReturnType<typeof softDeletePlugin>) => [plugin, new CamelCasePlugin()]],
  ['behind', (plugin: ReturnType<typeof softDeletePlugin>) => [new CamelCasePlugin(), plugin]],
] as const)('%s CamelCasePlugin', (_, order) => {
  const dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db: Kysely<never>) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }

  test.each([
    ['in names of the query', { eventLogs: { column: 'deletedAt' } }],
    ['in names of the database', { event_logs: true as const }],
  ])('a configuration %s filters', (__, tables) => {
    const trash = defineSoftDelete<string>({ tables, databaseName: camelCaseNames() })
    const db = new Kysely<Camel>({ dialect, plugins: [...order(softDeletePlugin(trash))] })
    const query = db
      .selectFrom('eventLogs')
      .innerJoin('eventLogs as otherLog', 'otherLog.id', 'eventLogs.eventId')
      .select('eventLogs.id')
    expect(query.compile().sql).toBe(
      'select "event_logs"."id" from "event_logs" inner join "event_logs" as "other_log" on "other_log"."id" = "event_logs"."event_id" where "event_logs"."deleted_at" is null and "other_log"."deleted_at" is null',
    )
    expect(
      withTrashed(query, 'otherLog')
        .compile()
        .sql.match(/deleted_at/g),
    ).toHaveLength(1)
    const embedded = db.selectFrom('eventLogs as e').select('e.id').where('e.id', 'in', withTrashed(query, 'otherLog'))
    expect(embedded.compile().sql.match(/deleted_at/g)).toHaveLength(2)
  })
})
