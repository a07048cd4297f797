import {
  DummyDriver,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  type CompiledQuery,
  type Dialect,
} from 'kysely'
import { expect, test } from 'vitest'

import { defineSoftDelete, permanently, softDeleteDialect, softDeletePlugin, withTrashed } from './index.ts'

interface Tables {
  events: { id: number; slug: string; title: string; deleted_at: string | null }
  sessions: { id: number; event_id: number; deleted_at: string | null }
  people: { id: number; name: string }
}

const mysql: Dialect = {
  createAdapter: () => new MysqlAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (db) => new MysqlIntrospector(db),
  createQueryCompiler: () => new MysqlQueryCompiler(),
}

const trash = defineSoftDelete({ tables: { events: { uniqueKeys: 'full', onConflict: 'revive' }, sessions: true } })
const db = new Kysely<Tables>({
  dialect: softDeleteDialect(mysql, trash),
  plugins: [softDeletePlugin(trash, { deletes: 'dialect' })],
})

const live = (name: string): string => `\`${name}\`.\`deleted_at\` is null`

test.each<[string, { compile(): CompiledQuery }, string]>([
  ['1. a table', db.selectFrom('events').select('id'), `select \`id\` from \`events\` where ${live('events')}`],
  [
    '1. an alias',
    db.selectFrom('events as e').select('e.id'),
    `select \`e\`.\`id\` from \`events\` as \`e\` where ${live('e')}`,
  ],
  [
    '3. a left join',
    db.selectFrom('events').leftJoin('sessions as s', 's.event_id', 'events.id').select('events.id'),
    `select \`events\`.\`id\` from \`events\` left join \`sessions\` as \`s\` on \`s\`.\`event_id\` = \`events\`.\`id\` and ${live('s')} where ${live('events')}`,
  ],
  [
    '5. a right join',
    db.selectFrom('events as e').rightJoin('sessions as s', 's.event_id', 'e.id').select('s.id'),
    `select \`s\`.\`id\` from \`events\` as \`e\` right join \`sessions\` as \`s\` on \`s\`.\`event_id\` = \`e\`.\`id\` and ${live('e')} where ${live('s')}`,
  ],
  [
    '21. a union',
    db
      .selectFrom('events')
      .select('id')
      .union(withTrashed(db.selectFrom('sessions').select('id'))),
    `select \`id\` from \`events\` where ${live('events')} union select \`id\` from \`sessions\``,
  ],
  [
    '22. a CTE named like a table',
    db
      .with('sessions', (q) => q.selectFrom('people').select('id'))
      .selectFrom('sessions')
      .select('id'),
    'with `sessions` as (select `id` from `people`) select `id` from `sessions`',
  ],
  [
    '27. an update',
    db.updateTable('events').set({ title: 'x' }),
    `update \`events\` set \`title\` = ? where ${live('events')}`,
  ],
  [
    '28. an update of joined tables',
    db.updateTable(['events as e', 'sessions as s']).set('e.title', 'x').whereRef('e.id', '=', 's.event_id'),
    `update \`events\` as \`e\`, \`sessions\` as \`s\` set \`e\`.\`title\` = ? where \`e\`.\`id\` = \`s\`.\`event_id\` and ${live('e')} and ${live('s')}`,
  ],
  [
    '29. a delete',
    db.deleteFrom('events').where('id', '=', 1),
    `update \`events\` set \`deleted_at\` = current_timestamp where \`id\` = ? and ${live('events')}`,
  ],
  [
    '30. a delete of joined rows',
    db.deleteFrom('events').using('events').innerJoin('sessions as s', 's.event_id', 'events.id').where('s.id', '=', 1),
    `update \`events\` inner join \`sessions\` as \`s\` on \`s\`.\`event_id\` = \`events\`.\`id\` set \`events\`.\`deleted_at\` = current_timestamp where \`s\`.\`id\` = ? and ${live('s')} and ${live('events')}`,
  ],
  [
    '30. a delete by alias',
    db
      .deleteFrom('e' as 'events')
      .using('events as e')
      .leftJoin('sessions as s', 's.event_id', 'e.id')
      .where('s.id', 'is', null),
    `update \`events\` as \`e\` left join \`sessions\` as \`s\` on \`s\`.\`event_id\` = \`e\`.\`id\` and ${live('s')} set \`e\`.\`deleted_at\` = current_timestamp where \`s\`.\`id\` is null and ${live('e')}`,
  ],
  [
    '31. a delete with ORDER BY and LIMIT keeps both',
    db.deleteFrom('events').orderBy('id').limit(5),
    `update \`events\` set \`deleted_at\` = current_timestamp where ${live('events')} order by \`id\` limit ?`,
  ],
  [
    '33. a delete for good',
    permanently(db.deleteFrom('events').where('id', '=', 1)),
    'delete from `events` where `id` = ?',
  ],
  [
    '36. an upsert that revives',
    db
      .insertInto('events')
      .values({ id: 1, slug: 'a', title: 'x', deleted_at: null })
      .onDuplicateKeyUpdate({ title: 'x' }),
    'insert into `events` (`id`, `slug`, `title`, `deleted_at`) values (?, ?, ?, ?) on duplicate key update `title` = ?, `deleted_at` = null',
  ],
])('%s', (_, query, expected) => {
  expect(query.compile().sql.replaceAll(/\s+/g, ' ').trim()).toBe(expected)
})

test('2. an OR of raw SQL is put in parentheses', () => {
  const query = db
    .selectFrom('events')
    .select('id')
    .where((eb) => eb.or([eb('id', '=', 1), eb('id', '=', 2)]))
  expect(query.compile().sql).toBe(
    `select \`id\` from \`events\` where (\`id\` = ? or \`id\` = ?) and ${live('events')}`,
  )
})

test('30. a delete from several tables at once is refused', () => {
  const both = db
    .deleteFrom(['events', 'sessions'])
    .using('events')
    .innerJoin('sessions', 'sessions.event_id', 'events.id')
  expect(() => both.compile()).toThrow(expect.objectContaining({ code: 'SOFT_DELETE_UNSUPPORTED' }))
})

test.each(['ignore', 'fail'] as const)('36. ON DUPLICATE KEY UPDATE cannot follow the policy %s', (onConflict) => {
  const other = new Kysely<Tables>({
    dialect: mysql,
    plugins: [softDeletePlugin(defineSoftDelete({ tables: { events: { onConflict } } }))],
  })
  const upsert = other
    .insertInto('events')
    .values({ id: 1, slug: 'a', title: 'x', deleted_at: null })
    .onDuplicateKeyUpdate({ title: 'x' })
  const code = onConflict === 'fail' ? 'SOFT_DELETE_UPSERT_UNDECIDED' : 'SOFT_DELETE_UNSUPPORTED'
  expect(() => upsert.compile()).toThrow(expect.objectContaining({ code }))
})
