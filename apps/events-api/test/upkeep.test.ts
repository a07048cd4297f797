import { sql } from 'kysely'
import { expect, test } from 'vitest'

import { pruneTrash } from '../src/jobs/definitions.ts'
import { updateIndex } from '../src/jobs/index-event.ts'
import { sendToOrganisers } from '../src/jobs/mail-organisers.ts'
import { removeOrphans } from '../src/jobs/remove-orphans.ts'
import { until } from './support/until.ts'
import { usePool } from './support/use-pool.ts'
import type { World } from './support/world.ts'

const worlds = usePool('conference')

const accountOf = (world: World, name: string) => world.service.accounts.accounts.get(name)

test('what others keep in the same store is left alone', async () => {
  await using world = await worlds.open()
  const { files } = world.service.uploaders
  for (const key of ['backups/db.txt', 'notes.txt']) await files.put(Buffer.from('plain words\n'), { key })
  const { key } = await files.put(Buffer.from('plain words\n'))
  await removeOrphans(world.service, -60_000, new AbortController().signal)
  const left: string[] = []
  for await (const one of files.store.list()) left.push(one.key)
  expect(left.toSorted()).toEqual(['backups/db.txt', 'notes.txt'])
  expect(left).not.toContain(key)
})

test('a user who leaves the trash when it empties itself leaves no account', async () => {
  await using world = await worlds.open()
  const { db, tasks } = world.service
  await world.request('DELETE', '/v1/users/3', { as: 'admin' })
  await world.service.accounts.accounts.block('organiser', { reason: 'For another reason' })
  await db
    .withoutPlugins()
    .updateTable('users')
    .set({ deleted_at: sql`now() - interval '40 days'` })
    .where('id', '=', 3)
    .execute()
  await world.work()
  await tasks.enqueue(pruneTrash, {})
  await until('account gone', async () => ((await accountOf(world, 'member')) === undefined ? true : undefined))
  expect(await accountOf(world, 'organiser')).toMatchObject({ isBlocked: true })
  expect(world.trouble).toEqual([])
})

test('an account follows its user though the process ended right after the commit', async () => {
  await using world = await worlds.open()
  const { accounts } = world.service.accounts
  // What a worker finds when nobody did it at once.
  await world.request('DELETE', '/v1/users/3', { as: 'admin' })
  await accounts.unblock(3)
  await world.work()
  await until('blocked', async () => ((await accounts.get(3))?.isBlocked ? true : undefined))
  expect((await world.request('POST', '/v1/users/3/restore', { as: 'admin' })).status).toBe(200)
  expect(await accounts.get(3)).toMatchObject({ isBlocked: false })
  expect((await world.request('DELETE', '/v1/users/3?permanent=true', { as: 'admin' })).status).toBe(200)
  expect(await accounts.get(3)).toBeUndefined()
})

test('an export that fails says so', async () => {
  await using world = await worlds.open()
  const body = { data: { type: 'exports', relationships: { event: { data: { type: 'events', id: '1' } } } } }
  await world.request('POST', '/v1/exports', { as: 'organiser', body })
  await world.request('DELETE', '/v1/events/1', { as: 'organiser' })
  await world.work()
  await until('state', async () => {
    const { json } = await world.request('GET', '/v1/exports/1', { as: 'organiser' })
    return json.data.attributes.state === 'failed' ? true : undefined
  })
})

test.each([
  [550, 'TASK_UNRECOVERABLE'],
  [451, 'EENVELOPE'],
])('an address that the server answers with %i keeps nobody else from hearing', async (responseCode, code) => {
  await using world = await worlds.open()
  const { db } = world.service
  await db.insertInto('event_roles').values({ event_id: 1, user_id: 1, role: 'organiser' }).execute()
  const heard: string[] = []
  const mailer = {
    send({ to }: { readonly to: string }) {
      heard.push(to)
      const refusal = Object.assign(new Error('refused'), { code: 'EENVELOPE', responseCode })
      return to === 'admin@example.org' ? Promise.reject(refusal) : Promise.resolve()
    },
    [Symbol.dispose]() {},
  }
  const sent = db.transaction().execute((tx) => sendToOrganisers(tx, mailer, { eventId: 1, change: 'updated' }))
  await expect(sent).rejects.toMatchObject({ code })
  expect(heard).toEqual(['admin@example.org', 'organiser@example.org'])
})

test('of two jobs that index one event, the later one does not put old words back', async () => {
  await using world = await worlds.open()
  const { db } = world.service
  const first = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  const one = db.transaction().execute(async (tx) => {
    await updateIndex(tx, 1)
    started.resolve()
    await first.promise
  })
  await started.promise
  const other = db.transaction().execute((tx) => updateIndex(tx, 1))
  await until('the other waits', async () => {
    const waiting = await sql`
      select 1 from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())
      union all select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      db,
    )
    return waiting.rows.length > 0 ? true : undefined
  })
  await db.updateTable('sessions').set({ title: 'Marigold' }).where('id', '=', 1).execute()
  first.resolve()
  await Promise.all([one, other])
  const { rows } = await sql`select 1 from event_search where event_id = 1 and words @@ 'marigold'::tsquery`.execute(db)
  expect(rows).toHaveLength(1)
})
