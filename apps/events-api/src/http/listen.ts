import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { getRequestListener } from '@hono/node-server'

import type { Fetch } from './app.ts'

/** A port that cannot be had; the message names the setting. */
class ListenError extends Error {
  override readonly name = 'ListenError'
}

/** A server that accepts connections. Disposing drains it; safe to repeat. */
export interface Listening extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

/**
 * Listens for requests.
 *
 * Disposing stops accepting, answers what is on its way with `Connection: close`, waits `drainMs` for it, and then ends
 * what is left.
 *
 * @throws {@link ListenError} when the address is taken or not allowed.
 */
export async function listen(
  fetch: Fetch,
  options: { readonly host: string; readonly port: number; readonly drainMs: number; readonly trustProxy: boolean },
): Promise<Listening> {
  const { host, port, drainMs } = options
  const answer = getRequestListener((request, env) => {
    const { incoming } = env as unknown as { incoming: { socket: { remoteAddress?: string } } }
    const forwarded = options.trustProxy ? request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined
    return fetch(request, { clientIp: forwarded ?? incoming.socket.remoteAddress })
  })
  const server = createServer((request, response) => void answer(request, response))
  // A client that opens a connection and says nothing must not hold it for ever.
  server.headersTimeout = 20_000
  server.requestTimeout = 120_000
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw translate(error as NodeJS.ErrnoException, host, port)
  }
  const address = server.address() as AddressInfo
  let draining: Promise<void> | undefined
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    [Symbol.asyncDispose]: () => (draining ??= drain(server, drainMs)),
  }
}

async function drain(server: Server, drainMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.on('request', (_, response) => response.setHeader('connection', 'close'))
  server.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), drainMs)
  // A kept-alive connection becomes idle when its answer is out; nobody else would close it.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  await closed
  clearTimeout(timer)
  clearInterval(sweep)
}

function translate(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new ListenError(`Port ${port} on ${host} is taken; set PORT to another one, or stop what uses it`)
  }
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL') {
    return new ListenError(
      `Cannot listen on ${host}:${port} (${error.code}); set HOST and PORT to an address of this machine`,
    )
  }
  return error
}
