import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

import { HubError, reasonOf } from '../errors.ts'

/** A port that is given to nobody else until it is disposed. */
export interface HeldPort extends Disposable {
  readonly port: number
}

/**
 * Gives out free ports, none of them twice at a time: between being found and being listened on a port is still free.
 *
 * Other programs may take one all the same.
 */
export class PortPool {
  readonly #find: (host: string) => Promise<number>
  readonly #held = new Map<number, HeldPort>()

  constructor(find: (host: string) => Promise<number> = freePort) {
    this.#find = find
  }

  async take(host: string): Promise<HeldPort> {
    let port = await this.#find(host)
    while (this.#held.has(port)) port = await this.#find(host)
    return this.hold(port)
  }

  /** Keeps a port that is in use from being given out. */
  hold(port: number): HeldPort {
    const held: HeldPort = {
      port,
      [Symbol.dispose]: () => {
        // Disposed twice, it may be another's by now.
        if (this.#held.get(port) === held) this.#held.delete(port)
      },
    }
    this.#held.set(port, held)
    return held
  }
}

/** Finds a free port on an address. Nothing holds it afterwards. */
async function freePort(host: string): Promise<number> {
  const server = createServer()
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Whether a port can be listened on. */
export async function isFree(host: string, port: number): Promise<boolean> {
  try {
    await requireFreePort(host, port, 'port')
    return true
  } catch {
    return false
  }
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
