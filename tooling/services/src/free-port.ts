import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** What was given out: the system may name the same port twice before anybody listens on it. */
const given = new Set<number>()

/** Docker gives its containers ports of the same range one after the other, from its lower end. */
const isDockers = (port: number) => port >= 32_768 && port < 36_000

/**
 * Finds a loopback TCP port that was free a moment ago, another one at each call; nothing holds it, so bind at once and
 * retry on a clash.
 */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  if (isDockers(port) || given.has(port)) return freePort()
  given.add(port)
  return port
}
