import { RequestError } from '../errors.ts'
import { spawnersOf } from '../store/spawners.ts'
import type { User } from '../store/users.ts'
import { API_HEADERS, bodyMap, type Call, empty, namedUser, type Operation, type Resource } from './call.ts'
import { eventStream } from './event-stream.ts'

const TEXT = 'text/plain'

async function knownServer(call: Call, user: User): Promise<string> {
  const { hub } = call
  const server = call.params['server'] ?? ''
  if (server === '') return server
  if (hub.config.limits.named_servers === 0) throw new RequestError(400, 'Named servers are not enabled.')
  const stored = await spawnersOf(hub.db, [user.id])
  if (!stored.some(({ name }) => name === server)) {
    throw new RequestError(404, `${user.name} has no server named '${server}'`)
  }
  return server
}

async function start(call: Call): Promise<Response> {
  const { hub } = call
  const user = await namedUser(call)
  const server = call.params['server'] ?? ''
  await hub.checkServerName(user, server)
  if ((await hub.servers.start(user, server, call.body)) === 'already') return empty(202, TEXT)
  await hub.servers.settled(user.id, server, hub.config.spawner.slow_spawn_timeout * 1000)
  hub.servers.throwFailure(user.id, server)
  return empty(hub.servers.table.phase(user.id, server) === 'spawn' ? 202 : 201, TEXT)
}

async function stop(call: Call): Promise<Response> {
  const { hub } = call
  const user = await namedUser(call)
  const body = bodyMap(call)
  const remove = body['remove'] === true
  const server = await knownServer(call, user)
  if (remove && server === '') throw new RequestError(400, 'Cannot delete the default server')
  const state = hub.servers.stop(user, server, { cancel: body['cancel'] === true })
  if (state === 'begun') {
    await hub.servers.settled(user.id, server, hub.config.spawner.slow_spawn_timeout * 1000)
  }
  const pending = hub.servers.table.phase(user.id, server) !== 'stopped'
  if (remove) {
    const forgotten = hub.servers.forget(user, server)
    if (!pending) await forgotten
    else forgotten.catch((error: unknown) => hub.log('error', 'server not removed', { reason: String(error) }))
  }
  return empty(pending ? 202 : 204, TEXT)
}

async function progress(call: Call): Promise<Response> {
  const { hub } = call
  const user = await namedUser(call)
  const server = call.params['server'] ?? ''
  const stored = await spawnersOf(hub.db, [user.id])
  const never =
    hub.servers.table.phase(user.id, server) === 'stopped' && hub.servers.table.failure(user.id, server) === undefined
  if (never && !stored.some(({ name }) => name === server)) throw new RequestError(404, 'Not Found')
  const events = hub.servers.progress(user, server)
  // The first message decides between a stream and a refusal.
  const first = await events.next()
  const headers = {
    ...API_HEADERS,
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  }
  return new Response(eventStream(first, events), { headers })
}

const startOperation: Operation = {
  summary: 'Start a server',
  scopes: ['servers'],
  body: {},
  answers: {
    201: 'It answers',
    202: 'It is starting',
    400: 'It runs or stops',
    429: 'Too many servers; see Retry-After',
    500: 'It did not start',
  },
  ofServer: true,
  handle: start,
}

const stopOperation: Operation = {
  summary: 'Stop a server',
  scopes: ['delete:servers'],
  body: {
    remove: { type: 'boolean', description: 'forget the named server' },
    cancel: { type: 'boolean', description: 'also give up a start under way' },
  },
  answers: { 204: 'It is stopped', 202: 'It is stopping', 400: 'It is starting' },
  ofServer: true,
  handle: stop,
}

const progressOperation: Operation = {
  summary: 'Follow a start, as server-sent events',
  scopes: ['read:servers'],
  answers: { 200: 'Messages; the last is ready or failed', 400: 'It is not starting' },
  ofServer: true,
  handle: progress,
}

/** Starting, stopping and following servers. */
export const serverResources: readonly Resource[] = [
  { path: '/users/:name/server', operations: { post: startOperation, delete: stopOperation } },
  { path: '/users/:name/server/progress', operations: { get: progressOperation } },
  { path: '/users/:name/servers/:server', operations: { post: startOperation, delete: stopOperation } },
  { path: '/users/:name/servers/:server/progress', operations: { get: progressOperation } },
]
