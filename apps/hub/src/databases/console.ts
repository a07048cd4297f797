import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

import type Docker from 'dockerode'
import type { WebSocket, WebSocketServer } from 'ws'

import type { Hub } from '../hub.ts'
import { requesterByCookie } from '../identity.ts'
import { reasonOf } from '../errors.ts'
import { engineCalls } from '../system/engine-calls.ts'
import { serverName } from './databases.ts'

/** What the browser sends: keys, or a new size of its window. */
type FromBrowser = { readonly keys: string } | { readonly size: { readonly rows: number; readonly columns: number } }

const ask = engineCalls()

/** Largest message of a browser, in bytes: a pasted script. */
const MAX_MESSAGE_BYTES = 1_000_000

/** Serves psql over a websocket at `hub/databases/NAME/socket`, for the owner alone. */
export function serveConsoles(server: Server, hub: Hub): Disposable {
  let sockets: WebSocketServer | undefined
  const open = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const admitted = await admit(hub, request)
    if (admitted === undefined) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    // Loaded for the first console: most hubs open none.
    const { WebSocketServer: Sockets } = await import('ws')
    sockets ??= new Sockets({ noServer: true, maxPayload: MAX_MESSAGE_BYTES })
    return sockets.handleUpgrade(request, socket, head, (opened) => runPsql(hub, opened, admitted))
  }
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node leaves a socket that is upgraded to its taker: without a listener one that breaks ends the whole hub.
    socket.on('error', () => socket.destroy())
    open(request, socket, head).catch((error: unknown) => {
      hub.log('warn', 'console refused', { reason: reasonOf(error) })
      socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n')
    })
  }
  server.on('upgrade', onUpgrade)
  return {
    [Symbol.dispose]() {
      server.off('upgrade', onUpgrade)
      for (const client of sockets?.clients ?? []) client.terminate()
    },
  }
}

/** The container that a connection was opened to, and whether whoever opened it is still logged in. */
interface Admitted {
  readonly container: Docker.Container
  readonly isAllowed: () => Promise<boolean>
}

/** Finds the container that a request may use: by the login cookie, and only from a page of the hub. */
async function admit(hub: Hub, request: IncomingMessage): Promise<Admitted | undefined> {
  const { base_url: base } = hub.config
  const path = request.url ?? ''
  const rest = path.startsWith(`${base}hub/databases/`) ? path.slice(`${base}hub/databases/`.length) : ''
  const name = /^([a-z][a-z0-9_-]*)\/socket\?proof=([\w-]+)$/.exec(rest)
  const { origin, host, cookie } = request.headers
  if (name === null || cookie === undefined || URL.parse(origin ?? '')?.host !== host) return undefined
  const whoAsks = () => requesterByCookie(hub, new Request('http://hub/', { headers: { cookie } }))
  const requester = await whoAsks()
  if (requester === undefined || requester.owner.kind !== 'user') return undefined
  // The origin is shared with every user's server; the proof stands on hub pages only.
  if (!hub.forms.isValid(name[2] ?? '', requester.sessionId)) return undefined
  const { user } = requester.owner
  const database = await hub.databases.get(user, name[1] ?? '')
  const { default: Engine } = await import('dockerode')
  const docker = new Engine({ socketPath: hub.config.docker.socket })
  const label = [`container-pg.name=${serverName(user, database.name)}`, `container-pg.root=${hub.databases.root}`]
  const [found] = await ask((abortSignal) => docker.listContainers({ filters: { label }, abortSignal }))
  if (found === undefined) return undefined
  const isAllowed = async () => (await whoAsks())?.sessionId === requester.sessionId
  return { container: docker.getContainer(found.Id), isAllowed }
}

function runPsql(hub: Hub, socket: WebSocket, { container, isAllowed }: Admitted): void {
  const psql = startPsql(container)
  const give = async (message: FromBrowser) => {
    // A connection may outlive the login that opened it.
    if (!(await isAllowed())) return socket.close(4403, 'Log in again')
    const { stream, exec } = await psql
    if ('keys' in message) stream.write(message.keys)
    else exec.resize({ h: message.size.rows, w: message.size.columns }).catch(() => {})
    return undefined
  }
  let last: Promise<unknown> = Promise.resolve()
  // Broken frames and too long messages end the connection; they are the browser's own doing.
  socket.on('error', (error) => hub.log('info', 'console broken off', { reason: reasonOf(error) }))
  socket.on('message', (data) => {
    const message = readMessage((data as Buffer).toString())
    if (message === undefined) return socket.close(1007, 'Expected keys or a size')
    // One after the other; what comes before psql runs waits for it. A database in trouble costs the message.
    last = last.then(() => give(message)).catch(() => {})
    return undefined
  })
  // End of input ends psql, which would otherwise stay in the container.
  socket.on(
    'close',
    () =>
      void psql.then(
        ({ stream }) => stream.end('\u0003\u0004'),
        () => {},
      ),
  )
  psql.then(
    ({ stream }) => {
      stream.on('data', (chunk: Buffer) => socket.send(chunk))
      stream.on('end', () => socket.close())
      stream.on('error', () => socket.close())
    },
    (error: unknown) => {
      hub.log('warn', 'console failed', { reason: reasonOf(error) })
      socket.close(1011, 'psql could not be started')
    },
  )
}

async function startPsql(
  container: Docker.Container,
): Promise<{ readonly stream: Duplex; readonly exec: Docker.Exec }> {
  const psql = {
    Cmd: ['psql', '--username=postgres', '--dbname=postgres', '--pset=pager=off'],
    Env: ['TERM=xterm-256color', 'HOME=/tmp', 'PSQL_HISTORY=/dev/null', 'LANG=C.UTF-8'],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: true,
  }
  const exec = await ask((abortSignal) => container.exec({ ...psql, abortSignal }))
  // Its signal would end the terminal too, which is to last: a limit only passes it over.
  return { stream: await ask(() => exec.start({ hijack: true, stdin: true, Tty: true })), exec }
}

/** A message of a browser, `undefined` when it is none that the page would send. */
function readMessage(text: string): FromBrowser | undefined {
  let value: { readonly keys?: unknown; readonly size?: { readonly rows?: unknown; readonly columns?: unknown } | null }
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    return undefined
  }
  if (typeof value?.keys === 'string') return { keys: value.keys }
  const { rows, columns } = value?.size ?? {}
  return isLength(rows) && isLength(columns) ? { size: { rows, columns } } : undefined
}

function isLength(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 10_000
}
