import { addSoftDeleteColumns, checkSchema, createLiveIndex, defineSoftDelete } from '@org/soft-delete'
import SqliteDatabase from 'better-sqlite3'
import { Kysely, SqliteDialect, sql } from 'kysely'

const trash = defineSoftDelete({ tables: { events: { retentionDays: 30 } } })
const db = new Kysely<{ events: { id: number; slug: string } }>({
  dialect: new SqliteDialect({ database: new SqliteDatabase(':memory:') }),
})
await sql`create table events (id integer primary key, slug text unique)`.execute(db)

await addSoftDeleteColumns(db, trash, 'events')
await createLiveIndex(db, trash, 'events', ['slug'], { unique: true })

for (const { message, fix } of await checkSchema(db, trash)) console.log(message, fix)
await db.destroy()
