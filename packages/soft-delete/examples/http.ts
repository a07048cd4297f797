import {
  defineSoftDelete,
  type DeletedAt,
  onlyTrashed,
  softDelete,
  softDeletePlugin,
  withTrashed,
} from '@org/soft-delete'
import { authorizeTrashed, parseTrashedParameters, TrashedRequestError } from '@org/soft-delete/http'
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
await softDelete(db, trash, 'events', 1)

async function listEvents(url: URL, isAdmin: boolean): Promise<Response> {
  try {
    const wanted = parseTrashedParameters(url.searchParams, { accept: ['with', 'only'] })
    await authorizeTrashed(wanted, () => (isAdmin ? 'allow' : 'forbid'))
    const events = db.selectFrom('events').select('title')
    const scoped = { without: events, with: withTrashed(events), only: onlyTrashed(events) }[wanted.trashed]
    return Response.json(await scoped.execute())
  } catch (error) {
    if (!(error instanceof TrashedRequestError)) throw error
    const { status, code, parameter } = error
    return Response.json({ errors: [{ status: String(status), code, source: { parameter } }] }, { status })
  }
}

const get = (query: string, isAdmin = true) => listEvents(new URL(`https://api.example/events${query}`), isAdmin)
console.log(await (await get('')).text())
console.log(await (await get('?filter[trashed]=only')).text())
console.log((await get('?with_trashed=true', false)).status)
console.log(await (await get('?with_trashed=yes')).text())
await db.destroy()
