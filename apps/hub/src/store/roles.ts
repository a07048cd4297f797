import type { Database } from './tables.ts'
import { createUsers } from './users.ts'

/** A role as configuration declares it. */
export interface RoleSpec {
  readonly name: string
  readonly description?: string
  readonly scopes: readonly string[]
}

/** The four roles that every hub has, as in JupyterHub 3.0 (`jupyterhub/roles.py`, read 2026-11). */
const defaultRoles: readonly RoleSpec[] = [
  { name: 'user', description: 'Standard user privileges', scopes: ['self'] },
  {
    name: 'admin',
    description: 'Elevated privileges (can do anything)',
    scopes: [
      'admin-ui',
      'admin:users',
      'admin:servers',
      'tokens',
      'admin:groups',
      'list:services',
      'read:services',
      'read:hub',
      'proxy',
      'shutdown',
      'access:services',
      'access:servers',
      'read:roles',
      'read:metrics',
    ],
  },
  { name: 'server', description: 'Post activity only', scopes: ['users:activity!user', 'access:servers!user'] },
  { name: 'token', description: 'Token with same permissions as its owner', scopes: ['inherit'] },
]

/** What a server's own token may do. */
export const SERVER_TOKEN_SCOPES: readonly string[] = ['users:activity!user', 'access:servers!user']

/** Writes the default roles and those of the configuration. */
export async function ensureRoles(db: Database, configured: readonly RoleSpec[]): Promise<void> {
  for (const role of [...defaultRoles, ...configured]) {
    const values = { description: role.description ?? '', scopes: JSON.stringify(role.scopes) }
    await db
      .insertInto('roles')
      .values({ name: role.name, ...values })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
      .execute()
  }
}

/** Scopes, not yet expanded, that a user holds by his own roles and those of his groups. */
export async function userScopes(db: Database, userId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('roles')
    .innerJoin('user_role_map', 'user_role_map.role_id', 'roles.id')
    .select('scopes')
    .where('user_role_map.user_id', '=', userId)
    .unionAll(
      db
        .selectFrom('roles')
        .innerJoin('group_role_map', 'group_role_map.role_id', 'roles.id')
        .innerJoin('user_group_map', 'user_group_map.group_id', 'group_role_map.group_id')
        .select('scopes')
        .where('user_group_map.user_id', '=', userId),
    )
    .execute()
  return rows.flatMap(({ scopes }) => JSON.parse(scopes) as string[])
}

/** Scopes, not yet expanded, that a service holds by its roles. */
export async function serviceScopes(db: Database, serviceId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('roles')
    .innerJoin('service_role_map', 'service_role_map.role_id', 'roles.id')
    .select('scopes')
    .where('service_role_map.service_id', '=', serviceId)
    .execute()
  return rows.flatMap(({ scopes }) => JSON.parse(scopes) as string[])
}

/** Scopes that a named role grants, `undefined` when there is no such role. */
export async function scopesOfRole(db: Database, name: string): Promise<string[] | undefined> {
  const row = await db.selectFrom('roles').select('scopes').where('name', '=', name).executeTakeFirst()
  return row === undefined ? undefined : (JSON.parse(row.scopes) as string[])
}

/** Gives roles of the configuration to the users and groups it names; makes users that are missing, as JupyterHub does. */
export async function ensureRoleMembers(
  db: Database,
  roles: readonly (RoleSpec & { readonly users: readonly string[]; readonly groups: readonly string[] })[],
  now: Date,
): Promise<void> {
  const named = [...new Set(roles.flatMap(({ users }) => users))]
  const known = await db
    .selectFrom('users')
    .select('name')
    .where('name', 'in', [...named, ''])
    .execute()
  const missing = named.filter((name) => !known.some((user) => user.name === name))
  if (missing.length > 0) await createUsers(db, missing, false, now)
  for (const role of roles) {
    const { id: role_id } = await db
      .selectFrom('roles')
      .select('id')
      .where('name', '=', role.name)
      .executeTakeFirstOrThrow()
    const users = await db
      .selectFrom('users')
      .select('id')
      .where('name', 'in', [...role.users, ''])
      .execute()
    for (const { id } of users) {
      const values = { user_id: id, role_id }
      await db
        .insertInto('user_role_map')
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
    const groups = await db
      .selectFrom('groups')
      .select('id')
      .where('name', 'in', [...role.groups, ''])
      .execute()
    for (const { id } of groups) {
      const values = { group_id: id, role_id }
      await db
        .insertInto('group_role_map')
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
  }
}
