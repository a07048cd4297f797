import { defineSoftDelete, type DeletedAt, restore, softDelete, softDeletePlugin, withTrashed } from '@org/soft-delete'
import SqliteDatabase from 'better-sqlite3'
import { type Generated, Kysely, SqliteDialect, sql } from 'kysely'

interface Database {
  events: { id: Generated<number>; title: string; deleted_at: DeletedAt<string> }
}

const trash = defineSoftDelete({ tables: { events: true } })
const db = new Kysely<Database>({
  dialect: new SqliteDialect({ database: new SqliteDatabase(':memory:') }),
  plugins: [softDeletePlugin(trash)],
})

await sql`create table events (id integer primary key, title text not null, deleted_at text)`.execute(db)
await db
  .insertInto('events')
  .values([{ title: 'FOSDEM' }, { title: 'PyCon' }])
  .execute()

const titles = db.selectFrom('events').select('title')

await softDelete(db, trash, 'events', 1)
console.log(await titles.execute())
console.log((await withTrashed(titles).execute()).length)

await restore(db, trash, 'events', 1)
console.log((await titles.execute()).length)
await db.destroy()
