import type { Hono } from 'hono'

import type { Hub } from '../hub.ts'
import { presentedToken, requesterByToken } from '../identity.ts'
import { databaseTrouble } from '../store/trouble.ts'
import { jsonError } from './errors.ts'
import { reasonOf, RequestError } from '../errors.ts'

/** Mounts what machines ask: is it alive, can it work, what did it do. */
export function mountHealth(app: Hono, hub: Hub): void {
  const base = `${hub.config.base_url}hub`
  // Alive means that this process answers; whoever restarts hubs must not do it because a disk is full.
  app.get(`${base}/health`, () => new Response('', { headers: { 'content-type': 'text/html' } }))
  app.get(`${base}/ready`, async () => {
    const checks = { database: await check(() => databaseWrites(hub)), proxy: await check(() => hub.routes().all()) }
    const ready = Object.values(checks).every(({ ok }) => ok)
    return Response.json({ ready, checks }, { status: ready ? 200 : 503 })
  })
  app.get(`${base}/metrics`, async ({ req }) => {
    try {
      const token = presentedToken(req.raw)
      const requester = token === undefined ? undefined : await requesterByToken(hub, token)
      if (requester?.scopes.has('read:metrics') !== true) {
        const message = 'Action is not authorized with current scopes; requires any of [read:metrics]'
        throw new RequestError(403, message)
      }
      const { running, spawning, stopping } = hub.servers.table.counts()
      const { total } = await hub.db
        .selectFrom('users')
        .select(({ fn }) => fn.countAll().as('total'))
        .executeTakeFirstOrThrow()
      const text = hub.requests.render({
        jupyterhub_running_servers: running,
        jupyterhub_spawning_servers: spawning,
        jupyterhub_stopping_servers: stopping,
        jupyterhub_total_users: Number(total),
        process_resident_memory_bytes: process.memoryUsage.rss(),
      })
      return new Response(text, { headers: { 'content-type': 'text/plain; version=0.0.4' } })
    } catch (error) {
      return jsonError(hub, error)
    }
  })
}

async function check(run: () => Promise<unknown>): Promise<{ ok: boolean; ms: number; reason?: string }> {
  const begun = performance.now()
  const ms = () => Math.round(performance.now() - begun)
  try {
    await run()
    return { ok: true, ms: ms() }
  } catch (error) {
    return { ok: false, ms: ms(), reason: databaseTrouble(error) ?? reasonOf(error) }
  }
}

/** A real write and a read of it: a file that can only be read would pass for healthy otherwise. */
async function databaseWrites(hub: Hub): Promise<void> {
  await hub.db.transaction().execute(async (tx) => {
    const { version_num } = await tx.selectFrom('alembic_version').selectAll().executeTakeFirstOrThrow()
    await tx.updateTable('alembic_version').set({ version_num }).execute()
  })
}
