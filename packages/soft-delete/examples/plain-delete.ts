import { defineSoftDelete, type DeletedAt, permanently, softDeleteDialect, softDeletePlugin } from '@org/soft-delete'
import SqliteDatabase from 'better-sqlite3'
import { type Generated, Kysely, SqliteDialect, sql } from 'kysely'

interface Database {
  events: { id: Generated<number>; title: string; deleted_at: DeletedAt<string> }
}

const trash = defineSoftDelete({ tables: { events: true } })
const db = new Kysely<Database>({
  dialect: softDeleteDialect(new SqliteDialect({ database: new SqliteDatabase(':memory:') }), trash),
  plugins: [softDeletePlugin(trash, { deletes: 'dialect' })],
})

await sql`create table events (id integer primary key, title text not null, deleted_at text)`.execute(db)
await db
  .insertInto('events')
  .values([{ title: 'FOSDEM' }, { title: 'PyCon' }])
  .execute()

console.log(db.deleteFrom('events').where('id', '=', 1).compile().sql)
console.log(
  permanently(db.deleteFrom('events').where('id', '=', 1))
    .compile()
    .sql.trim(),
)
await db.destroy()
