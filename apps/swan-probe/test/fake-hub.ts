import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** What a fault does with one request; `undefined` lets the fake hub answer as usual. */
export type Fault = (request: FakeRequest, hub: FakeHub) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>

export interface FakeRequest {
  readonly method: string
  /** Path below `/hub/api/`, or the whole path for anything else. */
  readonly path: string
  readonly authorised: boolean
  readonly raw: { readonly request: IncomingMessage; readonly response: ServerResponse }
}

export interface FakeAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A hub in miniature with one user, alice, to try faults on. Real hubs are tried elsewhere. */
export interface FakeHub extends AsyncDisposable {
  readonly port: number
  readonly token: string
  /** State of alice's server. */
  server: 'none' | 'spawn' | 'ready' | 'stop'
  /** Every call as `METHOD path`. */
  readonly calls: string[]
  /** Bodies of POSTs. */
  readonly bodies: string[]
}

/** Starts a fake hub. A start is ready after `spawnMs`; `undefined` never. */
export async function startFakeHub(
  options: {
    readonly fault?: Fault
    readonly tls?: { readonly key: string; readonly cert: string }
    readonly spawnMs?: number | undefined
    readonly base?: string
  } = {},
): Promise<FakeHub> {
  const token = 'fake-hub-token-0123456789'
  const base = options.base ?? ''
  const handler = (request: IncomingMessage, response: ServerResponse) => void handle(request, response)
  const server = options.tls === undefined ? createServer(handler) : createTlsServer(options.tls, handler)
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const hub: FakeHub = {
    port: (server.address() as AddressInfo).port,
    token,
    server: 'none',
    calls: [],
    bodies: [],
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? ''
    const api = `${base}/hub/api/`
    const path = url.startsWith(api) ? url.slice(api.length) : url
    const authorised = request.headers.authorization === `token ${token}`
    const method = request.method ?? ''
    hub.calls.push(`${method} ${path}`)
    let body = ''
    for await (const chunk of request) body += String(chunk)
    if (body !== '') hub.bodies.push(body)
    const asked = { method, path, authorised, raw: { request, response } }
    const answer = (await options.fault?.(asked, hub)) ?? usual(asked)
    if (response.headersSent || response.destroyed) return
    const json = typeof answer.body === 'object'
    response.writeHead(answer.status, { 'content-type': json ? 'application/json' : 'text/html', ...answer.headers })
    response.end(json ? JSON.stringify(answer.body) : (answer.body as string | undefined))
  }

  const usual = ({ authorised, method, path, raw }: FakeRequest): FakeAnswer => {
    if (path === '') return { status: 200, body: { version: '3.0.0' } }
    if (path === '/user/alice/api') return { status: hub.server === 'ready' ? 200 : 424, body: { version: '1' } }
    if (!raw.request.url?.startsWith(`${base}/hub/api/`)) return { status: 404, body: '<h1>404</h1>' }
    if (!authorised) return { status: 403, body: { status: 403, message: 'Forbidden' } }
    if (path === 'user') return { status: 200, body: { kind: 'service', name: 'probe', scopes: [] } }
    if (path === 'users/alice') return { status: 200, body: aliceModel(hub.server) }
    if (path === 'users/alice/server/progress') return { status: 404, body: { status: 404, message: 'no progress' } }
    if (path === 'users/alice/server' && method === 'POST') {
      if (hub.server === 'ready') return { status: 400, body: { status: 400, message: 'alice is already running' } }
      hub.server = 'spawn'
      if (options.spawnMs !== undefined) setTimeout(() => (hub.server = 'ready'), options.spawnMs)
      return { status: 202 }
    }
    if (path === 'users/alice/server' && method === 'DELETE') {
      hub.server = 'none'
      return { status: 204 }
    }
    return { status: 404, body: { status: 404, message: 'Not Found' } }
  }
  return hub
}

/** Alice as a hub shows her. */
export function aliceModel(server: FakeHub['server']): object {
  const url = server === 'ready' || server === 'stop' ? '/user/alice/' : null
  const pending = server === 'spawn' || server === 'stop' ? server : null
  return {
    kind: 'user',
    name: 'alice',
    admin: false,
    server: server === 'ready' ? url : null,
    pending,
    auth_state: { secret: 'state-of-alice' },
    servers: server === 'none' ? {} : { '': { name: '', ready: server === 'ready', pending, url: '/user/alice/' } },
  }
}
