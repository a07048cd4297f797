import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

import type Docker from 'dockerode'
import { type WebSocket, WebSocketServer } from 'ws'

import type { Hub } from '../hub.ts'
import { requesterByCookie } from '../identity.ts'
import { reasonOf } from '../errors.ts'
import { serverName } from './databases.ts'

/** What the browser sends: keys, or a new size of its window. */
type FromBrowser = { readonly keys: string } | { readonly size: { readonly rows: number; readonly columns: number } }

/** Largest message of a browser, in bytes: a pasted script. */
const MAX_MESSAGE_BYTES = 1_000_000

/** Serves psql over a websocket at `hub/databases/NAME/socket`, for the owner alone. */
export function serveConsoles(server: Server, hub: Hub): Disposable {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES })
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    admit(hub, request).then(
      (container) => {
        if (container === undefined) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
        return sockets.handleUpgrade(request, socket, head, (open) => void runPsql(hub, open, container))
      },
      (error: unknown) => {
        hub.log('warn', 'console refused', { reason: reasonOf(error) })
        socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n')
      },
    )
  }
  server.on('upgrade', onUpgrade)
  return {
    [Symbol.dispose]() {
      server.off('upgrade', onUpgrade)
      for (const client of sockets.clients) client.terminate()
    },
  }
}

/** Finds the container that a request may use: by the login cookie, and only from a page of the hub. */
async function admit(hub: Hub, request: IncomingMessage): Promise<Docker.Container | undefined> {
  const { base_url: base } = hub.config
  const name = new RegExp(`^${base}hub/databases/([a-z][a-z0-9_-]*)/socket\\?proof=([\\w-]+)$`).exec(request.url ?? '')
  const { origin, host, cookie } = request.headers
  if (name === null || cookie === undefined || URL.parse(origin ?? '')?.host !== host) return undefined
  const requester = await requesterByCookie(hub, new Request('http://hub/', { headers: { cookie } }))
  if (requester === undefined || requester.owner.kind !== 'user') return undefined
  // The origin is shared with every user's server; the proof stands on hub pages only.
  if (!hub.forms.isValid(name[2] ?? '', requester.sessionId)) return undefined
  const { user } = requester.owner
  const database = await hub.databases.get(user, name[1] ?? '')
  const { default: Engine } = await import('dockerode')
  const docker = new Engine({ socketPath: hub.config.docker.socket })
  const label = [`container-pg.name=${serverName(user, database.name)}`, `container-pg.root=${hub.databases.root}`]
  const [found] = await docker.listContainers({ filters: { label } })
  return found === undefined ? undefined : docker.getContainer(found.Id)
}

async function runPsql(hub: Hub, socket: WebSocket, container: Docker.Container): Promise<void> {
  try {
    const exec = await container.exec({
      Cmd: ['psql', '--username=postgres', '--dbname=postgres', '--pset=pager=off'],
      Env: ['TERM=xterm-256color', 'HOME=/tmp', 'PSQL_HISTORY=/dev/null', 'LANG=C.UTF-8'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    })
    const stream = await exec.start({ hijack: true, stdin: true, Tty: true })
    stream.on('data', (chunk: Buffer) => socket.send(chunk))
    stream.on('end', () => socket.close())
    stream.on('error', () => socket.close())
    socket.on('close', () => {
      // End of input ends psql, which would otherwise stay in the container.
      stream.write('\u0003\u0004')
      stream.end()
    })
    socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as FromBrowser
      if ('keys' in message) stream.write(message.keys)
      else exec.resize({ h: message.size.rows, w: message.size.columns }).catch(() => {})
    })
  } catch (error) {
    hub.log('warn', 'console failed', { reason: reasonOf(error) })
    socket.close(1011, 'psql could not be started')
  }
}
