import type { Log } from '../log.ts'
import type { Route, RouteTable } from './routes.ts'

/**
 * Makes the proxy's table what it should be: adds what is missing or points elsewhere, drops what no server stands behind.
 *
 * Routes that nobody marked as the hub's are left alone.
 */
export async function checkRoutes(
  routes: RouteTable,
  expected: ReadonlyMap<string, Route>,
  log: Log,
): Promise<{ readonly added: number; readonly dropped: number }> {
  const found = await routes.all()
  const result = { added: 0, dropped: 0 }
  for (const [path, route] of expected) {
    if (found[withoutSlash(path)]?.target === route.target) continue
    await routes.set(path, route)
    result.added += 1
  }
  const wanted = new Set([...expected.keys()].map(withoutSlash))
  for (const [path, { jupyterhub }] of Object.entries(found)) {
    if (jupyterhub !== true || wanted.has(path)) continue
    await routes.remove(path)
    result.dropped += 1
  }
  if (result.added + result.dropped > 0) log('info', 'proxy routes repaired', result)
  return result
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
