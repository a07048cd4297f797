import type { Hub } from '../hub.ts'
import type { ScopeSet } from '../permissions/scope-set.ts'
import type { GroupWithMembers } from '../store/groups.ts'
import type { Service } from '../store/services.ts'
import { type SpawnerRow, spawnersOf } from '../store/spawners.ts'
import { toIso } from '../store/time.ts'
import type { ApiToken } from '../store/tokens.ts'
import { membershipsOf, type User } from '../store/users.ts'

/** Which keys of a model each scope shows; as JupyterHub 3.0. */
const userKeys: Readonly<Record<string, readonly string[]>> = {
  'read:users': ['kind', 'name', 'admin', 'roles', 'groups', 'server', 'pending', 'created', 'last_activity'],
  'read:users:name': ['kind', 'name', 'admin'],
  'read:users:groups': ['kind', 'name', 'groups'],
  'read:users:activity': ['kind', 'name', 'last_activity'],
  'read:servers': ['kind', 'name', 'servers'],
  'read:roles:users': ['kind', 'name', 'roles', 'admin'],
  'admin:auth_state': ['kind', 'name', 'auth_state'],
}

const groupKeys: Readonly<Record<string, readonly string[]>> = {
  'read:groups': ['kind', 'name', 'users'],
  'read:groups:name': ['kind', 'name'],
  'read:roles:groups': ['kind', 'name', 'roles'],
}

const serviceKeys: Readonly<Record<string, readonly string[]>> = {
  'read:services': ['kind', 'name', 'admin', 'url', 'prefix', 'command', 'pid', 'info', 'display'],
  'read:services:name': ['kind', 'name', 'admin'],
  'read:roles:services': ['kind', 'name', 'roles', 'admin'],
}

/** Which keys a set of scopes shows: some of every thing, others only where a limit reaches. */
interface KeyPlan {
  readonly always: ReadonlySet<string>
  readonly limited: readonly (readonly [scope: string, keys: readonly string[]])[]
}

/** Made once for a list: a thousand models then need no thousand looks at scopes without limits. */
function planKeys(keys: Readonly<Record<string, readonly string[]>>, scopes: ScopeSet): KeyPlan {
  const entries = Object.entries(keys)
  return {
    always: new Set(entries.flatMap(([scope, names]) => (scopes.hasAll(scope) ? names : []))),
    limited: entries.filter(([scope]) => scopes.has(scope) && !scopes.hasAll(scope)),
  }
}

function shown(
  model: Readonly<Record<string, unknown>>,
  { always, limited }: KeyPlan,
  allows: (scope: string) => boolean,
): Record<string, unknown> {
  const more = limited.flatMap(([scope, names]) => (allows(scope) ? names : []))
  const allowed = more.length === 0 ? always : new Set([...always, ...more])
  const part: Record<string, unknown> = {}
  for (const key in model) if (allowed.has(key)) part[key] = model[key]
  return part
}

/** Models of users as far as the scopes reach; a user of whom nothing may be seen is left out. */
export async function userModels(
  hub: Hub,
  users: readonly User[],
  scopes: ScopeSet,
  options: { readonly includeStopped?: boolean } = {},
): Promise<Record<string, unknown>[]> {
  const ids = users.map(({ id }) => id)
  const [{ groups, roles }, servers] = await Promise.all([membershipsOf(hub.db, ids), spawnersOf(hub.db, ids)])
  const byUser = Map.groupBy(servers, ({ user_id }) => user_id)
  const plan = planKeys(userKeys, scopes)
  return users.flatMap((user) => {
    const memberOf = groups.get(user.id) ?? []
    const model = userModel(hub, user, { groups: memberOf, roles: roles.get(user.id) ?? [] }, scopes, plan)
    if (Object.keys(model).length === 0) return []
    const list = serverModels(hub, user, byUser.get(user.id) ?? [], memberOf, scopes, options.includeStopped === true)
    if ('servers' in model || Object.keys(list).length > 0) model['servers'] = list
    return [model]
  })
}

function userModel(
  hub: Hub,
  user: User,
  member: { readonly groups: readonly string[]; readonly roles: readonly string[] },
  scopes: ScopeSet,
  plan: KeyPlan,
): Record<string, unknown> {
  const model = {
    kind: 'user',
    name: user.name,
    admin: Boolean(user.admin),
    roles: member.roles,
    groups: member.groups,
    server: hub.servers.table.phase(user.id, '') === 'ready' ? hub.servers.table.names(user, '').prefix : null,
    pending: hub.servers.table.pending(user.id, ''),
    created: toIso(user.created),
    last_activity: toIso(user.last_activity),
    auth_state: null,
    servers: {},
  }
  return shown(model, plan, (scope) => scopes.allows(scope, { user: user.name, groups: member.groups }))
}

function serverModels(
  hub: Hub,
  user: User,
  stored: readonly SpawnerRow[],
  groups: readonly string[],
  scopes: ScopeSet,
  includeStopped: boolean,
): Record<string, unknown> {
  const models: [string, unknown][] = []
  for (const spawner of stored) {
    const phase = hub.servers.table.phase(user.id, spawner.name)
    const target = { user: user.name, server: spawner.name, groups }
    if ((phase === 'stopped' && !includeStopped) || !scopes.allows('read:servers', target)) continue
    const { prefix, progressPath } = hub.servers.table.names(user, spawner.name)
    models.push([
      spawner.name,
      {
        name: spawner.name,
        last_activity: toIso(spawner.last_activity),
        started: toIso(spawner.started),
        pending: hub.servers.table.pending(user.id, spawner.name),
        ready: phase === 'ready',
        stopped: phase === 'stopped',
        url: prefix,
        user_options: JSON.parse(spawner.user_options ?? '{}') as unknown,
        progress_url: progressPath,
        ...(scopes.allows('admin:server_state', target) ? { state: JSON.parse(spawner.state ?? '{}') as unknown } : {}),
      },
    ])
  }
  return Object.fromEntries(models)
}

/** The model of a group as far as the scopes reach. */
export function groupModel(group: GroupWithMembers, scopes: ScopeSet): Record<string, unknown> {
  const model = { kind: 'group', name: group.name, roles: group.roles, users: group.users }
  return shown(model, planKeys(groupKeys, scopes), (scope) => scopes.allows(scope, { group: group.name }))
}

/** The model of a service as far as the scopes reach. */
export function serviceModel(
  service: Service & { readonly roles: readonly string[] },
  scopes: ScopeSet,
): Record<string, unknown> {
  const model = {
    kind: 'service',
    name: service.name,
    roles: service.roles,
    admin: Boolean(service.admin),
    url: '',
    prefix: '',
    command: [],
    pid: 0,
    info: {},
    display: true,
  }
  return shown(model, planKeys(serviceKeys, scopes), (scope) => scopes.allows(scope, { service: service.name }))
}

/** The model of a token; the token itself is never in it. */
export function tokenModel(
  token: ApiToken,
  owner: string,
  scopes: readonly string[],
  client: string,
): Record<string, unknown> {
  return {
    user: owner,
    id: `a${token.id}`,
    kind: 'api_token',
    roles: [],
    scopes,
    created: toIso(token.created),
    last_activity: toIso(token.last_activity),
    expires_at: toIso(token.expires_at),
    note: token.note,
    session_id: token.session_id,
    oauth_client: client,
  }
}
