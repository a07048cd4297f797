import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

import { WebSocketServer } from 'ws'

import { consoleBody, consoleScript, serveConsole } from './console.ts'
import { readContract } from './contract.ts'
import { serveFile } from './files.ts'
import { Logins } from './login.ts'
import { sendPage } from './page.ts'

/** How often the hub is told that somebody was here, in milliseconds. */
const ACTIVITY_MS = 300_000

const contract = readContract(process.env)
// Kept here only: what runs in the console must not find it in its environment.
delete process.env['JUPYTERHUB_API_TOKEN']
delete process.env['JPY_API_TOKEN']
const { prefix, home } = contract
const logins = new Logins(contract)
let lastActivity = new Date()
let reported = new Date(0)

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://server')
  const path = url.pathname
  if (path === `${prefix}api`) return send(response, 200, { version: '1.0', server: 'bundled' })
  if (path === contract.callbackPath) return logins.finish(request, response, url)
  const user = await logins.userOf(request)
  if (user === undefined) {
    if (path.startsWith(`${prefix}api/`)) return send(response, 403, { status: 403, message: 'Forbidden' })
    return logins.begin(request, response)
  }
  lastActivity = new Date()
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, { message: 'Method Not Allowed' })
  if (path === prefix || path === prefix.slice(0, -1)) return redirect(response, `${prefix}files/`)
  if (path === `${prefix}hub`) return redirect(response, `${contract.hubPath}home`)
  if (path === `${prefix}api/status`) return send(response, 200, { user, last_activity: lastActivity })
  if (path === `${prefix}console`) return sendPage(response, prefix, 'Console', consoleBody)
  if (path === `${prefix}console.js`) {
    response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(consoleScript)
    return
  }
  const files = `${prefix}files/`
  if (path.startsWith(files)) return serveFile(response, home, prefix, decodeURIComponent(path.slice(files.length)))
  return send(response, 404, { status: 404, message: 'Not Found' })
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location }).end()
}

async function reportActivity(): Promise<void> {
  if (lastActivity <= reported) return
  reported = new Date()
  const moment = lastActivity.toISOString()
  const server = process.env['JUPYTERHUB_SERVER_NAME'] ?? ''
  try {
    await fetch(contract.activityUrl, {
      method: 'POST',
      headers: { authorization: `token ${contract.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ last_activity: moment, servers: { [server]: { last_activity: moment } } }),
    })
  } catch {
    // The hub may be restarting; the next report says the same and more.
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error)
    if (response.headersSent) response.destroy()
    else send(response, 500, { status: 500, message: 'Internal Server Error' })
  })
})
const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_000_000 })
server.on('upgrade', (request, socket, head) => {
  // Node leaves a socket that is upgraded to its taker: without a listener one that breaks ends the server.
  socket.on('error', () => socket.destroy())
  const sameOrigin = URL.parse(request.headers.origin ?? '')?.host === request.headers.host
  const wanted = request.url === `${prefix}console/socket`
  const refuse = () => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  logins.userOf(request).then((user) => {
    if (!wanted || user === undefined || (!sameOrigin && request.headers.authorization === undefined)) return refuse()
    lastActivity = new Date()
    return sockets.handleUpgrade(request, socket, head, (open) => {
      serveConsole(open, home, async () => (await logins.userOf(request)) === user)
    })
  }, refuse)
})
server.listen(contract.listen.port, contract.listen.host)
void reportActivity()
setInterval(() => void reportActivity(), ACTIVITY_MS).unref()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0))
