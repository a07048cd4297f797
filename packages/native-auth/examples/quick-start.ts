import { createNativeAuth } from '@org/native-auth'
import Database from 'better-sqlite3'
import { Hono } from 'hono'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Kysely, SqliteDialect } from 'kysely'

const db = new Kysely<unknown>({
  dialect: new SqliteDialect({ database: new Database(process.env['DATABASE'] ?? 'auth.sqlite') }),
})
const auth = createNativeAuth({ db, secret: process.env['AUTH_SECRET'] ?? '' })
await auth.migrate()

export const app = new Hono()
app.all('/auth/*', (c) => auth.handler(c.req.raw, { clientIp: getConnInfo(c).remote.address }))
app.get('/', async (c) => {
  const session = await auth.sessions.fromRequest(c.req.raw)
  return session === undefined ? c.redirect('/auth/login?next=/') : c.text(`Hello ${session.account.displayName}`)
})
