import {
  type CompiledQuery,
  type Dialect,
  DummyDriver,
  Kysely,
  MssqlAdapter,
  MssqlIntrospector,
  MssqlQueryCompiler,
} from 'kysely'
import { expect, test } from 'vitest'

import { defineSoftDelete, softDeletePlugin } from './index.ts'

interface Tables {
  events: { id: number; deleted_at: string | null }
  sessions: { id: number; event_id: number; deleted_at: string | null }
}

const mssql: Dialect = {
  createAdapter: () => new MssqlAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (db) => new MssqlIntrospector(db),
  createQueryCompiler: () => new MssqlQueryCompiler(),
}

const trash = defineSoftDelete({ tables: { events: true, sessions: true } })
const db = new Kysely<Tables>({ dialect: mssql, plugins: [softDeletePlugin(trash)] })

const body = `(select "s"."id" from "sessions" as "s" where "s"."event_id" = "e"."id" and "s"."deleted_at" is null) as "held"`

// Not a dialect that is executed here: APPLY has no ON, and the predicate must not invent one.
test.each<[string, { compile(): CompiledQuery }, string]>([
  [
    '8. cross apply of a subquery',
    db
      .selectFrom('events as e')
      .crossApply((eb) => eb.selectFrom('sessions as s').select('s.id').whereRef('s.event_id', '=', 'e.id').as('held'))
      .select('e.id'),
    `select "e"."id" from "events" as "e" cross apply ${body} where "e"."deleted_at" is null`,
  ],
  [
    '8. outer apply of a subquery',
    db
      .selectFrom('events as e')
      .outerApply((eb) => eb.selectFrom('sessions as s').select('s.id').whereRef('s.event_id', '=', 'e.id').as('held'))
      .select('e.id'),
    `select "e"."id" from "events" as "e" outer apply ${body} where "e"."deleted_at" is null`,
  ],
  [
    '8. cross apply of a table',
    db.selectFrom('events as e').crossApply('sessions as s').select('e.id'),
    `select "e"."id" from "events" as "e" cross apply "sessions" as "s" where "e"."deleted_at" is null and "s"."deleted_at" is null`,
  ],
])('%s', (_, query, expected) => {
  expect(query.compile().sql.trim()).toBe(expected)
})

test('8. outer apply of a table is filtered without an ON', () => {
  const { sql } = db.selectFrom('events as e').outerApply('sessions as s').select('e.id').compile()
  expect(sql).not.toContain(' on ')
  expect(sql).toMatch(/outer apply \(select .* from "sessions" where .*"deleted_at" is null\) as "s"/)
})
