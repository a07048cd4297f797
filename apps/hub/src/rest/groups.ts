import { RequestError } from '../errors.ts'
import {
  addMembers,
  createGroup,
  deleteGroup,
  findGroup,
  type GroupWithMembers,
  listGroups,
  removeMembers,
} from '../store/groups.ts'
import { findUser, type User } from '../store/users.ts'
import { requireAdminRights } from '../users.ts'
import {
  bodyMap,
  type Call,
  checkKeys,
  empty,
  json,
  pageModel,
  pageOf,
  requireReach,
  type Resource,
  textList,
} from './call.ts'
import { groupModel } from './models.ts'

const groupTypes = { name: 'string', users: 'array', roles: 'array' } as const

async function namedGroup(call: Call): Promise<GroupWithMembers> {
  const name = call.params['group'] ?? ''
  const group = await findGroup(call.hub.db, name)
  if (group === undefined) throw new RequestError(404, `No such group: ${name}`)
  return group
}

/**
 * The keys of users who are to become members.
 *
 * Rights over a group are rights over its members: whoever has them for one group only adds no administrators to it.
 */
async function memberIds(call: Call, names: readonly string[], scope: 'groups' | 'admin:groups'): Promise<number[]> {
  const users = await namedUsers(call, names)
  const { hub, requester } = call
  if (!requester.scopes.hasAll(scope) && users.some(({ admin }) => Boolean(admin))) {
    await requireAdminRights(hub, requester.scopes)
  }
  return users.map(({ id }) => id)
}

async function namedUsers(call: Call, names: readonly string[]): Promise<User[]> {
  const users: User[] = []
  for (const name of names) {
    const user = await findUser(call.hub.db, name)
    if (user === undefined) throw new RequestError(400, `No such user: ${name}`)
    users.push(user)
  }
  return users
}

async function list(call: Call): Promise<unknown> {
  const page = pageOf(call)
  const limits = call.requester.scopes.limits('list:groups')
  if (limits !== 'all' && limits?.group === undefined) throw new RequestError(403, 'Forbidden')
  const { groups, total } = await listGroups(call.hub.db, limits === 'all' ? undefined : limits.group, page)
  const models = groups.map((group) => groupModel(group, call.requester.scopes))
  return pageModel(call, page, models, total)
}

async function create(call: Call, names: readonly string[], members: unknown): Promise<GroupWithMembers[]> {
  const targets = names.map((group) => ({ group }))
  requireReach(call, 'admin:groups', targets)
  const ids = await memberIds(call, members === undefined ? [] : textList(members, 'users'), 'admin:groups')
  for (const name of names) {
    if (name === '' || name.length > 255) throw new RequestError(400, `Invalid group name: ${name}`)
    if ((await findGroup(call.hub.db, name)) !== undefined) throw new RequestError(409, `Group ${name} already exists`)
  }
  const groups: GroupWithMembers[] = []
  for (const name of new Set(names)) {
    await createGroup(call.hub.db, name, ids)
    groups.push((await findGroup(call.hub.db, name)) as GroupWithMembers)
  }
  return groups
}

async function add(call: Call): Promise<Response> {
  const group = await namedGroup(call)
  await addMembers(call.hub.db, group.id, await memberIds(call, usersOf(call), 'groups'))
  return json(groupModel(await namedGroup(call), call.requester.scopes))
}

async function remove(call: Call): Promise<Response> {
  const group = await namedGroup(call)
  const ids = (await namedUsers(call, usersOf(call))).map(({ id }) => id)
  await removeMembers(call.hub.db, group.id, ids)
  return json(groupModel(await namedGroup(call), call.requester.scopes))
}

function usersOf(call: Call): string[] {
  const body = bodyMap(call)
  checkKeys(body, groupTypes, 'group')
  if (body['users'] === undefined) throw new RequestError(400, 'Must specify users')
  return textList(body['users'], 'users')
}

const usersBody = { users: { type: 'array', description: 'names of users' } } as const

/** Groups and their members. */
export const groupResources: readonly Resource[] = [
  {
    path: '/groups',
    operations: {
      get: {
        summary: 'List groups',
        scopes: ['list:groups'],
        query: { offset: 'first row', limit: 'most rows' },
        answers: { 200: 'A list, or a page of it' },
        read: list,
      },
      post: {
        summary: 'Create several groups',
        scopes: ['admin:groups'],
        body: { groups: { type: 'array', description: 'names' }, ...usersBody },
        answers: { 201: 'The groups', 400: 'No names, unknown user', 409: 'One exists' },
        handle: async (call) => {
          const { groups, ...rest } = bodyMap(call)
          if (!Array.isArray(groups) || groups.length === 0) {
            throw new RequestError(400, 'Must specify at least one group to create')
          }
          checkKeys(rest, groupTypes, 'group')
          const created = await create(call, textList(groups, 'groups'), rest['users'])
          return json(
            created.map((group) => groupModel(group, call.requester.scopes)),
            201,
          )
        },
      },
    },
  },
  {
    path: '/groups/:group',
    operations: {
      get: {
        summary: 'Read a group',
        scopes: ['read:groups', 'read:groups:name', 'read:roles:groups'],
        answers: { 200: 'The group' },
        read: async (call) => groupModel(await namedGroup(call), call.requester.scopes),
      },
      post: {
        summary: 'Create a group',
        scopes: ['admin:groups'],
        body: usersBody,
        answers: { 201: 'The group', 400: 'Unknown user', 409: 'Exists' },
        handle: async (call) => {
          const body = bodyMap(call)
          checkKeys(body, groupTypes, 'group')
          const [group] = await create(call, [call.params['group'] ?? ''], body['users'])
          return json(groupModel(group as GroupWithMembers, call.requester.scopes), 201)
        },
      },
      delete: {
        summary: 'Delete a group; its users stay',
        scopes: ['delete:groups'],
        answers: { 204: 'Deleted' },
        handle: async (call) => {
          await deleteGroup(call.hub.db, (await namedGroup(call)).id)
          return empty(204)
        },
      },
    },
  },
  {
    path: '/groups/:group/users',
    operations: {
      post: {
        summary: 'Add members',
        scopes: ['groups'],
        body: usersBody,
        answers: { 200: 'The group', 400: 'Unknown user' },
        handle: add,
      },
      delete: {
        summary: 'Remove members',
        scopes: ['groups'],
        body: usersBody,
        answers: { 200: 'The group', 400: 'Unknown user' },
        handle: remove,
      },
    },
  },
]
