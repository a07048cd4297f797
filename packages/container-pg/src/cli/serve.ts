import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { bearerToken, createContainerApi } from '../api/handler.ts'
import { ContainerPgError } from '../errors.ts'
import type { Provisioner } from '../provisioner.ts'
import type { World } from './world.ts'

/** Serves the API on 127.0.0.1 and keeps the servers as recorded, until the signal. */
export async function serve(
  provisioner: Provisioner,
  { token, port }: { token: string; port: number },
  world: World,
): Promise<void> {
  const onError = (error: unknown) => world.note(`${error instanceof Error ? error.stack : String(error)}\n`)
  const handle = createContainerApi(provisioner, { authorize: bearerToken(token), onError })
  const server = createServer((incoming, outgoing) => {
    const request = read(incoming, outgoing)
    if (request === undefined) return void outgoing.writeHead(400).end()
    // A client that leaves in the middle of a log is no error.
    answer(handle, request, outgoing).catch((error: unknown) => (outgoing.destroyed ? undefined : onError(error)))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening').catch((error: unknown) => {
    throw new ContainerPgError('PORT_TAKEN', `Could not listen on 127.0.0.1:${port}`, {
      remedy: 'Choose another --port.',
      cause: error,
    })
  })
  const { port: chosen } = server.address() as { port: number }
  world.out(`http://127.0.0.1:${chosen}/api/containers/\n`)
  const keeping = provisioner.keep(world.signal, (result) => {
    if (result instanceof Error) {
      return world.note(`${result instanceof ContainerPgError ? result.code : result.name}: ${result.message}\n`)
    }
    const lines = [
      ...result.started.map((name) => `started ${name}`),
      ...result.stopped.map((name) => `stopped ${name}`),
      ...result.finished.map((name) => `cleared away ${name}, left half-way`),
      ...result.failed.map(({ name, error }) => `could not keep ${name}: ${error.message}`),
    ]
    if (lines.length > 0) world.note(`${lines.join('\n')}\n`)
  })
  await keeping
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

/** Turns Node's request into one of `fetch`, `undefined` for addresses and methods that it does not know. */
function read(incoming: IncomingMessage, outgoing: ServerResponse): Request | undefined {
  const gone = new AbortController()
  outgoing.on('close', () => gone.abort())
  const { method = 'GET', url = '/', headers } = incoming
  const body = method === 'GET' || method === 'HEAD' ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>)
  try {
    return new Request(new URL(url, 'http://127.0.0.1'), {
      method,
      headers: Object.entries(headers).flatMap(([name, value]) =>
        [value ?? []].flat().map((one): [string, string] => [name, one]),
      ),
      body,
      signal: gone.signal,
      ...(body === null ? {} : { duplex: 'half' }),
    })
  } catch {
    return undefined
  }
}

async function answer(
  handle: (request: Request) => Promise<Response>,
  request: Request,
  outgoing: ServerResponse,
): Promise<void> {
  const response = await handle(request)
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) outgoing.end()
  else await pipeline(Readable.fromWeb(response.body as never), outgoing)
}
