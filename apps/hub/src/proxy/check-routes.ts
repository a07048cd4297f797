import type { Log } from '../log.ts'
import type { Route, RouteTable } from './routes.ts'

/**
 * Makes the proxy's table what it should be: adds what is missing or points elsewhere, drops what no server stands behind.
 *
 * Servers come and go meanwhile, so `expected` is asked anew at each step, and once more after it: what was added for a
 * server that has just gone is dropped again. Routes that nobody marked as the hub's are left alone.
 */
export async function checkRoutes(
  routes: RouteTable,
  expected: () => ReadonlyMap<string, Route>,
  log: Log,
): Promise<{ readonly added: number; readonly dropped: number }> {
  const found = await routes.all()
  const result = { added: 0, dropped: 0 }
  for (const path of expected().keys()) {
    const route = expected().get(path)
    if (route === undefined || found[withoutSlash(path)]?.target === route.target) continue
    await routes.set(path, route)
    if (expected().has(path)) result.added += 1
    else await routes.remove(path)
  }
  for (const [path, { jupyterhub }] of Object.entries(found)) {
    if (jupyterhub !== true || wanted(expected(), path) !== undefined) continue
    await routes.remove(path)
    const route = wanted(expected(), path)
    if (route === undefined) result.dropped += 1
    else await routes.set(path, route)
  }
  if (result.added + result.dropped > 0) log('info', 'proxy routes repaired', result)
  return result
}

function wanted(expected: ReadonlyMap<string, Route>, path: string): Route | undefined {
  return expected.get(path) ?? expected.get(`${path}/`)
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
