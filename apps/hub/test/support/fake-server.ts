// A single-user server that does what the user's name says: `slow-…` waits, `late-…` waits less, `never-…` never listens,
// `bad-…` ends at once, `stubborn-…` takes its time to end. Needs nothing, so it starts as fast as Node does.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const { JUPYTERHUB_SERVICE_URL: service = '', JUPYTERHUB_USER: user = '' } = process.env
const { hostname, port, pathname } = new URL(service)
console.log(`fake server of ${user}`)
if (user.startsWith('bad-')) process.exit(1)
const pause = user.startsWith('slow-') ? 3200 : user.startsWith('late-') ? 800 : 0
const linger = user.startsWith('stubborn-') ? 3200 : 0
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => setTimeout(() => process.exit(0), linger))

let listened = 0
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({ path: request.url, prefix: pathname, env: process.env, began: performance.timeOrigin, listened }),
  )
})
// Enough of RFC 6455 for a test to hold a connection open: it accepts, and sends one byte back for each it gets.
server.on('listening', () => (listened = Date.now()))
server.on('upgrade', (request, socket) => {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  )
  socket.on('data', () => socket.write(Buffer.from([0x81, 0x02, 0x6f, 0x6b])))
  socket.on('error', () => {})
})
if (user.startsWith('never-')) setInterval(() => {}, 1000)
else setTimeout(() => server.listen(Number(port), hostname), pause)
