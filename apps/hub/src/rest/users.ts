import { RequestError } from '../errors.ts'
import { isUserName } from '../spawners/names.ts'
import { changeUser, deleteUserCompletely, listedUsers, requireAdminRights } from '../users.ts'
import { fromStored } from '../store/time.ts'
import { createUsers, findUser, listUsers, takenNames, touchUser, type UserFilter } from '../store/users.ts'
import { spawnersOf, touchSpawner } from '../store/spawners.ts'
import {
  bodyMap,
  type Call,
  checkKeys,
  empty,
  json,
  namedUser,
  pageModel,
  pageOf,
  requireReach,
  type Resource,
  textList,
} from './call.ts'
import { serviceModel, userModels } from './models.ts'
import { ScopeSet } from '../permissions/scope-set.ts'
import { listServices } from '../store/services.ts'

const userTypes = { name: 'string', admin: 'boolean', groups: 'array', roles: 'array', auth_state: 'object' } as const

const include = { include_stopped_servers: 'also show servers that do not run' }

function includesStopped({ url }: Call): boolean {
  return !['0', 'false'].includes((url.searchParams.get('include_stopped_servers') ?? '0').toLowerCase())
}

async function whoAmI(call: Call): Promise<unknown> {
  const { hub, requester } = call
  // Everybody may know his own name: without it a token could not tell whose it is.
  if (requester.owner.kind === 'nobody') throw new RequestError(403, 'Forbidden')
  const own = requester.owner.kind === 'user' ? ['users:name', 'users:groups'] : ['services:name']
  const filter = `${requester.owner.kind}=${requester.name}`
  const held = requester.scopes.toStrings()
  const scopes = ScopeSet.of([...held, ...own.map((scope) => `read:${scope}!${filter}`)])
  const model =
    requester.owner.kind === 'user'
      ? (await userModels(hub, [requester.owner.user], scopes))[0]
      : serviceModel({ ...requester.owner.service, roles: await rolesOf(call, requester.name) }, scopes)
  return { ...model, session_id: requester.sessionId, scopes: held }
}

async function rolesOf(call: Call, service: string): Promise<readonly string[]> {
  return (await listServices(call.hub.db)).find(({ name }) => name === service)?.roles ?? []
}

async function list(call: Call): Promise<unknown> {
  const { hub, requester, url } = call
  const page = pageOf(call)
  const state = url.searchParams.get('state')
  if (state !== null && state !== '' && !['active', 'ready', 'inactive'].includes(state)) {
    throw new RequestError(400, `Unrecognized state filter: '${state}'`)
  }
  const filter: UserFilter = {
    ...(state === 'active' || state === 'ready' ? { state: 'active' } : {}),
    ...(state === 'inactive' ? { state } : {}),
    nameContains: url.searchParams.get('name_filter') ?? '',
    ...listedUsers(requester.scopes),
    // Ready is known to the running hub only; asking for these keys keeps pages and totals right.
    ...(state === 'ready' ? { ids: hub.servers.table.readyUserIds() } : {}),
  }
  const { users, total } = await listUsers(hub.db, filter, page, page.paged)
  const models = await userModels(hub, users, requester.scopes, { includeStopped: includesStopped(call) })
  return pageModel(call, page, models, total)
}

async function createMany(call: Call): Promise<Response> {
  const { hub, requester } = call
  const body = bodyMap(call)
  if (!Array.isArray(body['usernames']) || body['usernames'].length === 0) {
    throw new RequestError(400, 'Must specify at least one user to create')
  }
  const { usernames, ...model } = body
  checkKeys(model, userTypes, 'user')
  if (model['admin'] === true) await requireAdminRights(hub, requester.scopes)
  const names = textList(usernames, 'usernames').map((name) => name.toLowerCase())
  const bad = names.filter((name) => !isUserName(name))
  if (bad.length > 0) {
    throw new RequestError(400, `Invalid username${bad.length > 1 ? 's' : ''}: ${bad.join(', ')}`)
  }
  const targets = names.map((name) => ({ user: name }))
  requireReach(call, 'admin:users', targets)
  const taken = await takenNames(hub.db, names)
  const fresh = [...new Set(names)].filter((name) => !taken.has(name))
  if (fresh.length === 0) throw new RequestError(409, `All ${names.length} users already exist`)
  const users = await createUsers(hub.db, fresh, model['admin'] === true, hub.now())
  return json(await userModels(hub, users, requester.scopes), 201)
}

async function create(call: Call): Promise<Response> {
  const { hub, requester } = call
  const name = call.params['name'] ?? ''
  const body = bodyMap(call)
  if ((await findUser(hub.db, name)) !== undefined) throw new RequestError(409, `User ${name} already exists`)
  checkKeys(body, userTypes, 'user')
  if (!isUserName(name)) throw new RequestError(400, `Failed to create user: ${name}`)
  if (body['admin'] === true) await requireAdminRights(hub, requester.scopes)
  const users = await createUsers(hub.db, [name], body['admin'] === true, hub.now())
  return json((await userModels(hub, users, requester.scopes))[0], 201)
}

async function change(call: Call): Promise<Response> {
  const { hub, requester } = call
  const user = await namedUser(call)
  const body = bodyMap(call)
  checkKeys(body, userTypes, 'user')
  const { name, admin } = body as { readonly name?: string; readonly admin?: boolean }
  for (const key of ['groups', 'roles', 'auth_state']) {
    if (key in body) throw new RequestError(400, `user.${key} cannot be changed here`)
  }
  const changed = await changeUser(hub, requester.scopes, user, { name, admin })
  return json((await userModels(hub, [changed], requester.scopes))[0])
}

async function remove(call: Call): Promise<Response> {
  const { hub, requester } = call
  const user = await namedUser(call)
  if (requester.owner.kind === 'user' && requester.owner.user.id === user.id) {
    throw new RequestError(400, 'Cannot delete yourself!')
  }
  await deleteUserCompletely(hub, user)
  return empty(204)
}

/** Furthest a reported activity may lie in the future, in milliseconds. */
const FUTURE_MS = 59 * 60_000

function moment(call: Call, value: unknown): Date {
  const text = String(value)
  // Without a zone it is UTC, as Python's isoformat writes it.
  const parsed = new Date(/([zZ]|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  if (Number.isNaN(parsed.getTime())) throw new RequestError(400, `Not a valid timestamp: '${text}'`)
  if (parsed.getTime() - call.hub.now().getTime() > FUTURE_MS) {
    throw new RequestError(400, `Rejecting activity from more than an hour in the future: ${text}`)
  }
  return parsed
}

async function activity(call: Call): Promise<Response> {
  const { hub } = call
  const user = await namedUser(call)
  const body = bodyMap(call)
  const { last_activity: last, servers } = body
  if (last === undefined && servers === undefined) {
    throw new RequestError(400, 'body must contain at least one of `last_activity` or `servers`')
  }
  const shape = 'servers must be a dict of the form {server_name: {last_activity: timestamp}}'
  if (servers !== undefined && (typeof servers !== 'object' || servers === null || Array.isArray(servers))) {
    throw new RequestError(400, shape)
  }
  const stored = await spawnersOf(hub.db, [user.id])
  const touched = Object.entries((servers ?? {}) as Record<string, unknown>).map(([name, info]) => {
    const found = stored.find((spawner) => spawner.name === name)
    if (found === undefined) throw new RequestError(400, `No such server '${name}' for user ${user.name}`)
    const at = (info as { readonly last_activity?: unknown } | null)?.last_activity
    if (at === undefined || at === null) throw new RequestError(400, shape)
    return { id: found.id, at: moment(call, at) }
  })
  const seen = last === undefined || last === null ? undefined : moment(call, last)
  if (seen !== undefined && (user.last_activity === null || fromStored(user.last_activity) < seen)) {
    await touchUser(hub.db, user.id, seen)
  }
  for (const { id, at } of touched) await touchSpawner(hub.db, id, at)
  return empty(200)
}

const readers = [
  'read:users',
  'read:users:name',
  'read:servers',
  'read:users:groups',
  'read:users:activity',
  'read:roles:users',
]

/** Users and what they did. */
export const userResources: readonly Resource[] = [
  {
    path: '/user',
    operations: {
      get: { summary: 'Who am I', scopes: [], answers: { 200: 'The owner of the token' }, read: whoAmI },
    },
  },
  {
    path: '/users',
    operations: {
      get: {
        summary: 'List users',
        scopes: ['list:users'],
        query: {
          state: 'active, ready or inactive',
          name_filter: 'part of the name',
          offset: 'first row',
          limit: 'most rows',
          ...include,
        },
        answers: { 200: 'A list, or a page of it', 400: 'Unknown state' },
        read: list,
      },
      post: {
        summary: 'Create several users',
        scopes: ['admin:users'],
        body: {
          usernames: { type: 'array', description: 'names' },
          admin: { type: 'boolean', description: 'all of them become admins' },
        },
        answers: { 201: 'Those that were created', 400: 'No or bad names', 409: 'All exist' },
        handle: createMany,
      },
    },
  },
  {
    path: '/users/:name',
    operations: {
      get: {
        summary: 'Read a user',
        scopes: readers,
        query: include,
        answers: { 200: 'The user' },
        read: async (call) => {
          const user = await namedUser(call)
          const options = { includeStopped: includesStopped(call) }
          return (await userModels(call.hub, [user], call.requester.scopes, options))[0]
        },
      },
      post: {
        summary: 'Create a user',
        scopes: ['admin:users'],
        body: { admin: { type: 'boolean', description: 'becomes an admin' } },
        answers: { 201: 'The user', 400: 'Bad name', 409: 'Exists' },
        handle: create,
      },
      patch: {
        summary: 'Rename a user, or make him an admin',
        scopes: ['admin:users'],
        body: {
          name: { type: 'string', description: 'new name' },
          admin: { type: 'boolean', description: 'whether he is an admin' },
        },
        answers: { 200: 'The user', 400: 'Unknown key, name taken, server running' },
        handle: change,
      },
      delete: {
        summary: 'Delete a user with account, tokens and servers',
        scopes: ['delete:users'],
        answers: { 204: 'Deleted', 400: 'A server starts or stops' },
        handle: remove,
      },
    },
  },
  {
    path: '/users/:name/activity',
    operations: {
      post: {
        summary: 'Report activity',
        scopes: ['users:activity'],
        body: {
          last_activity: { type: 'string', description: 'moment, ISO 8601' },
          servers: { type: 'object', description: 'server name to {last_activity}' },
        },
        answers: { 200: 'Noted', 400: 'Empty, unknown server, bad moment' },
        handle: activity,
      },
    },
  },
]
