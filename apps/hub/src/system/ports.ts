import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

import { HubError, reasonOf } from '../errors.ts'

/** Finds a free port on an address. Nothing holds it afterwards. */
export async function freePort(host: string): Promise<number> {
  const server = createServer()
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Makes sure that a port can be listened on.
 *
 * @throws {@link HubError} `HUB_PORT_TAKEN` naming the setting.
 */
export async function requireFreePort(host: string, port: number, setting: string): Promise<void> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    throw portError(error, host, port, setting)
  }
  server.close()
  await once(server, 'close')
}

/** The error of a failed `listen`, in words that name the setting. */
export function portError(error: unknown, host: string, port: number, setting: string): HubError {
  const { code } = error as NodeJS.ErrnoException
  const reason =
    code === 'EADDRINUSE'
      ? `Port ${port} on ${host} is taken by another program: stop it, or change \`${setting}\``
      : `Cannot listen on ${host} port ${port} (\`${setting}\`): ${reasonOf(error)}`
  return new HubError('HUB_PORT_TAKEN', reason, { cause: error })
}
