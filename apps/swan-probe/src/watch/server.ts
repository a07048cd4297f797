import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { builtinHttp } from '../builtin-http.ts'
import type { HealthSetName } from '../config/config.ts'
import { messageOf, ProbeError } from '../errors.ts'
import { renderMetrics } from './metrics.ts'
import { renderStatusPage } from './page.ts'
import type { Watcher } from './watcher.ts'

/** The watcher's HTTP side; disposing closes it. */
export interface StatusServer extends AsyncDisposable {
  readonly url: string
}

/**
 * Serves the page, `/healthz`, `/healthz/SET` and `/metrics`.
 *
 * @throws {@link ProbeError} `PROBE_USAGE` when the port cannot be had.
 */
export async function serveStatus(
  watcher: Watcher,
  listen: { readonly host: string; readonly port: number },
): Promise<StatusServer> {
  const server = builtinHttp().createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    if (path === '/') send(response, 200, 'text/html; charset=utf-8', renderStatusPage(watcher, Date.now()))
    else if (path === '/metrics')
      send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', renderMetrics(watcher))
    else if (path === '/healthz') sendJson(response, overall(watcher))
    else if (path.startsWith('/healthz/')) sendSet(response, watcher, path.slice('/healthz/'.length))
    else send(response, 404, 'text/plain', 'Not found\n')
  })
  // Callers must not take the descriptors that the probes need.
  server.maxConnections = 32
  try {
    server.listen(listen.port, listen.host)
    await once(server, 'listening')
  } catch (error) {
    throw new ProbeError(
      'PROBE_USAGE',
      `Cannot listen on ${listen.host}:${listen.port} (watch.host, watch.port): ${messageOf(error)}`,
      { cause: error },
    )
  }
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}/`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Well as long as nothing is down; what has no verdict yet is not held against it. */
function overall(watcher: Watcher): { readonly ok: boolean; readonly body: unknown } {
  const probes = watcher.probes.map(({ id, state, last }) => ({ id, state, message: last?.message }))
  const ok = probes.every((probe) => probe.state !== 'down')
  return { ok, body: { status: ok ? 'ok' : 'failing', probes } }
}

function sendSet(response: ServerResponse, watcher: Watcher, name: string): void {
  const known = name === 'startup' || name === 'liveness' || name === 'readiness'
  const answer = known ? watcher.health.answer(name satisfies HealthSetName) : undefined
  if (answer === undefined) send(response, 404, 'text/plain', 'The file has no such health set\n')
  else sendJson(response, { ok: answer.ok, body: { status: answer.ok ? 'ok' : 'failing', reason: answer.reason } })
}

function sendJson(response: ServerResponse, answer: { readonly ok: boolean; readonly body: unknown }): void {
  send(response, answer.ok ? 200 : 503, 'application/json', `${JSON.stringify(answer.body)}\n`)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response
    .writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    })
    .end(body)
}
