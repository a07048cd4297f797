import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

import { DemoError } from './child.ts'

/**
 * Makes sure that nobody listens on a port, so that an answer there can only come from our app.
 *
 * @throws {@link DemoError} naming the option that chooses another port.
 */
export async function claimable(port: number, option: string): Promise<void> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`
    throw new DemoError(`Port ${port} ${why}; choose another one with ${option}`, { cause: error })
  }
  server.close()
  await once(server, 'close')
}

/** Finds a loopback port for something that only our own apps speak to. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
