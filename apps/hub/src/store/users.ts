import { randomUUID } from 'node:crypto'

import { type Selectable, sql } from 'kysely'

import type { Database, UsersTable } from './tables.ts'
import { toStored } from './time.ts'

/** A row of `users`. */
export type User = Selectable<UsersTable>

/** Finds a user by the exact name. */
export async function findUser(db: Database, name: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst()
}

/** Finds a user by key. */
export async function userById(db: Database, id: number): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Which users a list shows. `names` and `groups` are the limits of the reader's scope: a user of either is shown. */
export interface UserFilter {
  readonly state?: 'active' | 'inactive'
  readonly nameContains?: string
  readonly names?: ReadonlySet<string>
  readonly groups?: ReadonlySet<string>
  /** Only these keys. */
  readonly ids?: readonly number[]
}

/** One page of users by age, and how many there are in all. */
export async function listUsers(
  db: Database,
  filter: UserFilter,
  page: { readonly offset: number; readonly limit: number },
): Promise<{ readonly users: User[]; readonly total: number }> {
  let query = db.selectFrom('users')
  const { state, nameContains, names, groups, ids } = filter
  if (state !== undefined) {
    query = query.where((eb) => {
      const active = eb.exists(
        eb
          .selectFrom('spawners')
          .select('spawners.id')
          .whereRef('spawners.user_id', '=', 'users.id')
          .where('spawners.server_id', 'is not', null),
      )
      return state === 'active' ? active : eb.not(active)
    })
  }
  if (nameContains !== undefined && nameContains !== '') {
    const pattern = `%${nameContains.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
    query = query.where(sql<boolean>`lower(users.name) like ${pattern} escape '\\'`)
  }
  if (ids !== undefined) query = query.where('users.id', 'in', [...ids, -1])
  if (names !== undefined || groups !== undefined) {
    query = query.where((eb) =>
      eb.or([
        eb('users.name', 'in', [...(names ?? []), '']),
        eb.exists(
          eb
            .selectFrom('user_group_map')
            .innerJoin('groups', 'groups.id', 'user_group_map.group_id')
            .select('groups.id')
            .whereRef('user_group_map.user_id', '=', 'users.id')
            .where('groups.name', 'in', [...(groups ?? []), '']),
        ),
      ]),
    )
  }
  const { total } = await query.select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow()
  const users = await query.selectAll('users').orderBy('users.id').offset(page.offset).limit(page.limit).execute()
  return { users, total: Number(total) }
}

/** Adds users that do not exist yet, each with the role `user`, admins with `admin` too. All or none. */
export async function createUsers(db: Database, names: readonly string[], admin: boolean, now: Date): Promise<User[]> {
  return db.transaction().execute(async (tx) => {
    const users: User[] = []
    for (const name of names) {
      const user = await tx
        .insertInto('users')
        .values({
          name,
          admin,
          created: toStored(now),
          last_activity: toStored(now),
          cookie_id: randomUUID(),
          state: '{}',
          encrypted_auth_state: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      users.push(user)
      await assignDefaultRoles(tx, user.id, admin)
    }
    return users
  })
}

/** Gives a user the roles that follow from being an admin or not. */
async function assignDefaultRoles(db: Database, userId: number, admin: boolean): Promise<void> {
  const wanted = admin ? ['user', 'admin'] : ['user']
  const roles = await db.selectFrom('roles').select(['id', 'name']).where('name', 'in', ['user', 'admin']).execute()
  for (const role of roles) {
    if (wanted.includes(role.name)) {
      await db
        .insertInto('user_role_map')
        .values({ user_id: userId, role_id: role.id })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    } else {
      await db.deleteFrom('user_role_map').where('user_id', '=', userId).where('role_id', '=', role.id).execute()
    }
  }
}

/** Changes a user's name or admin flag. */
export async function updateUser(
  db: Database,
  user: User,
  change: { readonly name?: string; readonly admin?: boolean },
): Promise<User> {
  return db.transaction().execute(async (tx) => {
    const name = change.name ?? user.name
    const admin = change.admin ?? Boolean(user.admin)
    const updated = await tx
      .updateTable('users')
      .set({ name, admin })
      .where('id', '=', user.id)
      .returningAll()
      .executeTakeFirstOrThrow()
    if (change.admin !== undefined) await assignDefaultRoles(tx, user.id, admin)
    return updated
  })
}

/** Removes a user with tokens, memberships and stopped servers. */
export async function deleteUser(db: Database, user: User): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const clients = await tx
      .selectFrom('spawners')
      .select('oauth_client_id')
      .where('user_id', '=', user.id)
      .where('oauth_client_id', 'is not', null)
      .execute()
    for (const { oauth_client_id } of clients) {
      await tx.deleteFrom('oauth_clients').where('identifier', '=', oauth_client_id).execute()
    }
    await tx.deleteFrom('users').where('id', '=', user.id).execute()
  })
}

/** Names by user key: groups and roles of many users in two statements. */
export async function membershipsOf(
  db: Database,
  userIds: readonly number[],
): Promise<{ readonly groups: ReadonlyMap<number, string[]>; readonly roles: ReadonlyMap<number, string[]> }> {
  const collect = (rows: readonly { user_id: number; name: string }[]) => {
    const map = new Map<number, string[]>()
    for (const { user_id, name } of rows) map.set(user_id, [...(map.get(user_id) ?? []), name])
    return map
  }
  const [groups, roles] = await Promise.all([
    db
      .selectFrom('user_group_map')
      .innerJoin('groups', 'groups.id', 'group_id')
      .select(['user_id', 'name'])
      .where('user_id', 'in', [...userIds, -1])
      .orderBy('groups.id')
      .execute(),
    db
      .selectFrom('user_role_map')
      .innerJoin('roles', 'roles.id', 'role_id')
      .select(['user_id', 'name'])
      .where('user_id', 'in', [...userIds, -1])
      .orderBy('roles.id')
      .execute(),
  ])
  return { groups: collect(groups), roles: collect(roles) }
}

/** Notes that a user did something; an older moment changes nothing. */
export async function touchUser(db: Database, userId: number, moment: Date): Promise<void> {
  const stored = toStored(moment)
  await db
    .updateTable('users')
    .set({ last_activity: stored })
    .where('id', '=', userId)
    .where((eb) => eb.or([eb('last_activity', 'is', null), eb('last_activity', '<', stored)]))
    .execute()
}
