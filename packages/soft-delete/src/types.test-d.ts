import type { Generated, Insertable, Kysely, Selectable, Updateable } from 'kysely'
import { expectTypeOf, test } from 'vitest'

import { type DeletedAt, defineSoftDelete, onlyTrashed, restore, softDelete, withTrashed } from './index.ts'

interface Events {
  id: Generated<number>
  title: string
  deleted_at: DeletedAt
}

interface Database {
  events: Events
  people: { id: number }
}

declare const db: Kysely<Database>

test('the marker column is read, never written', () => {
  expectTypeOf<Selectable<Events>['deleted_at']>().toEqualTypeOf<Date | null>()
  expectTypeOf<keyof Insertable<Events>>().toEqualTypeOf<'id' | 'title'>()
  expectTypeOf<keyof Updateable<Events>>().toEqualTypeOf<'id' | 'title'>()

  db.insertInto('events').values({ title: 'x' })
  // @ts-expect-error -- an insert cannot make a trashed row
  db.insertInto('events').values({ title: 'x', deleted_at: new Date() })
  // @ts-expect-error -- nor write the live state by hand
  db.insertInto('events').values({ title: 'x', deleted_at: null })
  // @ts-expect-error -- an update cannot trash
  db.updateTable('events').set({ deleted_at: new Date() })
  // @ts-expect-error -- nor restore
  db.updateTable('events').set('deleted_at', null)
  const insert = db.insertInto('events').values({ title: 'x' })
  // @ts-expect-error -- not even in a conflict clause
  insert.onConflict((oc) => oc.column('id').doUpdateSet({ deleted_at: null }))
  db.selectFrom('events').where('deleted_at', 'is', null).select('deleted_at')
})

test('helpers take configured tables of the database and keep the rest out', () => {
  const trash = defineSoftDelete({ tables: { events: true, elsewhere: true } })
  expectTypeOf(softDelete(db, trash, 'events', 1)).resolves.toHaveProperty('batch')
  void restore(db, trash, 'events', (eb) => eb('title', '=', 'x'))
  // @ts-expect-error -- not configured
  void softDelete(db, trash, 'people', 1)
  // @ts-expect-error -- not in the database
  void softDelete(db, trash, 'elsewhere', 1)
  // @ts-expect-error -- no such column
  void restore(db, trash, 'events', (eb) => eb('nope', '=', 'x'))
})

test('scopes keep the type of the query and know its references', () => {
  const query = db.selectFrom('events as e').innerJoin('people as p', 'p.id', 'e.id').select('e.title')
  expectTypeOf(withTrashed(query)).toEqualTypeOf<typeof query>()
  expectTypeOf(onlyTrashed(query, 'e')).toEqualTypeOf<typeof query>()
  // @ts-expect-error -- the query knows the table as "e"
  withTrashed(query, 'events')
  const update = db.updateTable('events').set({ title: 'x' })
  expectTypeOf(withTrashed(update, 'events')).toEqualTypeOf<typeof update>()
  // @ts-expect-error -- no such reference
  withTrashed(update, 'people')
})

test('a relation needs a policy that exists', () => {
  // @ts-expect-error -- misspelt
  defineSoftDelete({ tables: { events: { parents: { owner_id: { table: 'events', onDelete: 'setnull' } } } } })
})
