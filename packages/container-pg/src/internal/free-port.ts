import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** Finds a port on 127.0.0.1 that was free a moment ago; another program can take it before it is used. */
export async function freePort(): Promise<number> {
  // `exclusive`: the workers of a Node cluster would all be given the same one.
  const probe = createServer().listen({ port: 0, host: '127.0.0.1', exclusive: true })
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
