import {
  defineSoftDelete,
  type DeletedAt,
  requireLive,
  restore,
  softDelete,
  type SoftDeleteError,
  softDeletePlugin,
} from '@org/soft-delete'
import SqliteDatabase from 'better-sqlite3'
import { type Generated, Kysely, SqliteDialect, sql } from 'kysely'

interface Markers {
  deleted_at: DeletedAt<string>
  deleted_by: DeletedAt<string>
  batch: DeletedAt<string>
}

interface Database {
  events: Markers & { id: Generated<number>; title: string }
  sessions: Markers & { id: Generated<number>; event_id: number; title: string }
}

const markers = { batch: 'batch', deletedBy: 'deleted_by' }
const trash = defineSoftDelete({
  tables: {
    events: markers,
    sessions: { ...markers, parents: { event_id: { table: 'events', onDelete: 'cascade' } } },
  },
})
const db = new Kysely<Database>({
  dialect: new SqliteDialect({ database: new SqliteDatabase(':memory:') }),
  plugins: [softDeletePlugin(trash)],
})

const columns = sql`deleted_at text, deleted_by text, batch text`
await sql`create table events (id integer primary key, title text, ${columns})`.execute(db)
await sql`create table sessions (id integer primary key, event_id integer references events, title text, ${columns})`.execute(
  db,
)

/** Adds a session, unless its event is trashed or is being trashed. */
function addSession(event_id: number, title: string): Promise<unknown> {
  return db.transaction().execute(async (trx) => {
    await requireLive(trx, trash, 'events', event_id)
    await trx.insertInto('sessions').values({ event_id, title }).execute()
  })
}

await db.insertInto('events').values({ id: 1, title: 'FOSDEM' }).execute()
await addSession(1, 'Opening')
await addSession(1, 'Cancelled talk')

await softDelete(db, trash, 'sessions', 2, { by: 'ada' })
const { cascaded } = await softDelete(db, trash, 'events', 1, { by: 'bob' })
console.log(cascaded)

await addSession(1, 'Too late').catch((error: SoftDeleteError) => console.log(error.code))

await restore(db, trash, 'events', 1)
console.log(await db.selectFrom('sessions').select('title').execute())
await db.destroy()
