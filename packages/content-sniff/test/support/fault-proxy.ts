import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What goes wrong with one request. */
export type Fault = 'refuse' | 'lose-answer' | 'error-500' | 'error-503' | 'cut-answer'

/** An HTTP server in front of another that passes requests on, or breaks them. */
export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string
  /** Decides about each request, by its number since the last call and its method and target. */
  plan: (fault: (number: number, method: string, target: string) => Fault | undefined) => void
}

/** Starts a proxy in front of an S3 server. */
export async function faultProxy(upstream: string): Promise<FaultProxy> {
  let decide: (number: number, method: string, target: string) => Fault | undefined = () => undefined
  let count = 0
  const { hostname, port } = new URL(upstream)

  const handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const fault = decide(count, incoming.method ?? '', incoming.url ?? '')
    count += 1
    if (fault === 'refuse') {
      incoming.socket.destroy()
      return
    }
    if (fault === 'error-500' || fault === 'error-503') {
      incoming.resume()
      incoming.on('end', () => {
        outgoing.writeHead(Number(fault.slice(-3)), { 'content-type': 'application/xml' })
        outgoing.end('<Error><Code>InternalError</Code><Message>injected</Message></Error>')
      })
      return
    }
    const { method, url: path, headers } = incoming
    // A connection for each request: a server that ends an idle one at the wrong moment would be a fault nobody planned.
    const onward = { hostname, port, method, path, headers: { ...headers, connection: 'close' }, agent: false } as const
    const forwarded = request(onward, (answer) => {
      if (fault === 'lose-answer') {
        answer.resume()
        answer.on('end', () => incoming.socket.destroy())
        return
      }
      const { connection: _, ...kept } = answer.headers
      outgoing.writeHead(answer.statusCode ?? 502, kept)
      if (fault === 'cut-answer') {
        outgoing.flushHeaders()
        answer.resume()
        answer.on('end', () => incoming.socket.destroy())
        return
      }
      if (method === 'HEAD') outgoing.end()
      else answer.pipe(outgoing)
    })
    forwarded.on('error', () => {
      // Swift sends a body after the head that it was asked for; by then the answer is through.
      if (!outgoing.writableEnded) incoming.socket.destroy()
    })
    incoming.pipe(forwarded)
  }

  const server = createServer(handle)
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    plan: (next) => {
      decide = next
      count = 0
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      await closed.promise
    },
  }
}
