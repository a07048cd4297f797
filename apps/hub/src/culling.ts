import type { Hub } from './hub.ts'
import { reasonOf } from './errors.ts'
import { activeServers, touchSpawner } from './store/spawners.ts'
import { fromStored } from './store/time.ts'

/**
 * Notes what the proxy saw of each server, then stops those that were idle for too long.
 *
 * @param idleMs - 0: nothing is stopped.
 * @returns how many are being stopped.
 */
async function cullIdle(hub: Hub, idleMs: number): Promise<number> {
  const routes = await hub.routes().all()
  let culled = 0
  for (const { user, spawner } of await activeServers(hub.db)) {
    if (hub.servers.table.phase(user.id, spawner.name) !== 'ready') continue
    const { route } = hub.servers.table.names(user, spawner.name)
    const seen = routes[route.slice(0, -1)]?.last_activity
    // The proxy starts its clock when the route is made; only later moments are somebody's doing.
    if (seen !== undefined && new Date(seen) > fromStored(spawner.started ?? spawner.last_activity ?? '')) {
      await touchSpawner(hub.db, spawner.id, new Date(seen))
    }
    if (idleMs === 0) continue
    const last = [spawner.last_activity, spawner.started].flatMap((stored) =>
      stored === null ? [] : [fromStored(stored).getTime()],
    )
    const latest = Math.max(...last, seen === undefined ? 0 : new Date(seen).getTime())
    if (hub.now().getTime() - latest < idleMs) continue
    hub.log('info', 'server is idle', { user: user.name, server: spawner.name })
    hub.servers.stop(user, spawner.name)
    culled += 1
  }
  return culled
}

/** Looks for idle servers again and again until the signal. */
export function startCulling(hub: Hub, signal: AbortSignal): void {
  const { every, idle_timeout: idle } = hub.config.cull
  const timer = setInterval(() => {
    cullIdle(hub, idle * 1000).catch((error: unknown) => {
      hub.log('warn', 'idle servers could not be looked for', { reason: reasonOf(error) })
    })
  }, every * 1000)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}
