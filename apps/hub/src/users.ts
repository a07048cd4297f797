import { RequestError } from './errors.ts'
import type { Hub } from './hub.ts'
import { expandScopes } from './permissions/definitions.ts'
import type { ScopeSet } from './permissions/scope-set.ts'
import { isUserName } from './spawners/names.ts'
import { scopesOfRole } from './store/roles.ts'
import { deleteUser, findUser, updateUser, type User, type UserFilter } from './store/users.ts'

/**
 * Makes sure that somebody holds all that an administrator may do: nobody gives rights that are not his.
 *
 * @throws {@link RequestError} 403.
 */
export async function requireAdminRights(hub: Hub, scopes: ScopeSet): Promise<void> {
  const raw = (await scopesOfRole(hub.db, 'admin')) ?? []
  if (expandScopes(raw, { kind: 'user', name: '' }).some((scope) => !scopes.hasAll(scope))) {
    throw new RequestError(403, 'Only admins can grant admin permissions, or change an admin')
  }
}

/**
 * Which users somebody may list.
 *
 * @throws {@link RequestError} 403 when none at all.
 */
export function listedUsers(scopes: ScopeSet): Pick<UserFilter, 'names' | 'groups'> {
  const limits = scopes.limits('list:users')
  if (limits === 'all') return {}
  if (limits?.user === undefined && limits?.group === undefined) throw new RequestError(403, 'Forbidden')
  return { names: limits.user ?? new Set(), groups: limits.group ?? new Set() }
}

/**
 * Renames a user or makes him an administrator. A new name ends all his tokens.
 *
 * @param by - The rights of who asks for it: administrators are made and changed by administrators.
 * @throws {@link RequestError} 403 without these rights; 400 when the name is bad or taken, he has an account or a
 *   running server, or nobody would be left to administer the hub.
 */
export async function changeUser(
  hub: Hub,
  by: ScopeSet,
  user: User,
  { name = user.name, admin }: { readonly name?: string | undefined; readonly admin?: boolean | undefined },
): Promise<User> {
  if (admin === true || Boolean(user.admin)) await requireAdminRights(hub, by)
  using _held = hub.servers.hold(user)
  if (name !== user.name) {
    if (!isUserName(name)) throw new RequestError(400, `Invalid username: ${name}`)
    if ((await findUser(hub.db, name)) !== undefined) {
      throw new RequestError(400, `User ${name} already exists, username must be unique`)
    }
    // Its server's address, oauth client and token all carry the old name; so does the account that he logs in to.
    if (hub.servers.table.activeOf(user.id).length > 0) {
      throw new RequestError(400, `${user.name} has a running server, stop it first`)
    }
    if (await hub.accounts.exists(user.name)) {
      throw new RequestError(400, `${user.name} has an account, which keeps its name`)
    }
  }
  if (admin !== undefined) await hub.accounts.setAdmin(user.name, admin)
  return updateUser(hub.db, user, { name, ...(admin === undefined ? {} : { admin }) })
}

/**
 * Removes a user with account, tokens and servers; running servers are stopped first.
 *
 * @throws {@link RequestError} 400 while one of his servers starts or stops.
 */
export async function deleteUserCompletely(hub: Hub, user: User): Promise<void> {
  using _held = hub.servers.hold(user)
  const servers = hub.servers.table.activeOf(user.id)
  for (const { phase } of servers) {
    if (phase === 'spawn') throw new RequestError(400, `${user.name}'s server is starting, please wait.`)
    if (phase === 'stop') throw stopping(user)
  }
  for (const { server } of servers) hub.servers.stop(user, server)
  const waitMs = hub.config.spawner.slow_spawn_timeout * 1000
  await Promise.all(servers.map(({ server }) => hub.servers.settled(user.id, server, waitMs)))
  if (hub.servers.table.activeOf(user.id).length > 0) throw stopping(user)
  await hub.accounts.discard(user.name)
  await deleteUser(hub.db, user)
  hub.servers.table.removeAll(user.id)
}

function stopping(user: User): RequestError {
  return new RequestError(400, `${user.name}'s server is in the process of stopping, please wait.`)
}
