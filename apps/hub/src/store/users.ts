import { randomUUID } from 'node:crypto'

import { type Selectable, sql } from 'kysely'

import { among, amongNames } from './among.ts'
import type { Database, UsersTable } from './tables.ts'
import { toStored } from './time.ts'
import { deleteTokensOf } from './tokens.ts'

/** A row of `users`. */
export type User = Selectable<UsersTable>

// Looked up by every call: the text of a statement is put together in a tenth of the builder's time.

/** Finds a user by the exact name. */
export async function findUser(db: Database, name: string): Promise<User | undefined> {
  return (await sql<User>`select * from users where name = ${name}`.execute(db)).rows[0]
}

/** Finds a user by key. */
export async function userById(db: Database, id: number): Promise<User | undefined> {
  return (await sql<User>`select * from users where id = ${id}`.execute(db)).rows[0]
}

/** Those of the names that users have already. */
export async function takenNames(db: Database, names: readonly string[]): Promise<ReadonlySet<string>> {
  const found = sql<{ name: string }>`select name from users where name in ${amongNames(db, names)}`
  return new Set((await found.execute(db)).rows.map(({ name }) => name))
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

/** One page of users by age; with `count`, also how many there are in all. */
export async function listUsers(
  db: Database,
  filter: UserFilter,
  page: { readonly offset: number; readonly limit: number },
  count: boolean,
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
  const users = await query.selectAll('users').orderBy('users.id').offset(page.offset).limit(page.limit).execute()
  if (!count) return { users, total: Number.NaN }
  const { total } = await query.select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow()
  return { users, total: Number(total) }
}

/** Users that are written with one statement: SQLite takes 32,766 values in one. */
const BATCH = 200

/** Adds users that do not exist yet, each with the role `user`, admins with `admin` too. All or none. */
export async function createUsers(db: Database, names: readonly string[], admin: boolean, now: Date): Promise<User[]> {
  const moment = toStored(now)
  return db.transaction().execute(async (tx) => {
    const users: User[] = []
    for (let at = 0; at < names.length; at += BATCH) {
      const rows = names.slice(at, at + BATCH).map((name) => ({
        name,
        admin,
        created: moment,
        last_activity: moment,
        cookie_id: randomUUID(),
        state: '{}',
        encrypted_auth_state: null,
      }))
      users.push(...(await tx.insertInto('users').values(rows).returningAll().execute()))
    }
    users.sort((a, b) => a.id - b.id)
    const ids = users.map(({ id }) => id)
    // Keys are given out again, and JupyterHub left the roles of deleted users behind.
    await sql`delete from user_role_map where user_id in ${among(tx, ids)}`.execute(tx)
    const roles = admin ? ['user', 'admin'] : ['user']
    await sql`insert into user_role_map (user_id, role_id) select users.id, roles.id from users, roles
      where users.id in ${among(tx, ids)} and roles.name in ${amongNames(tx, roles)}`.execute(tx)
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

/** Changes a user's name or admin flag. A new name ends all his tokens. */
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
    if (name !== user.name) await deleteTokensOf(tx, user.id)
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

/** Names by user key. */
export interface Memberships {
  readonly groups: ReadonlyMap<number, readonly string[]>
  readonly roles: ReadonlyMap<number, readonly string[]>
}

/** The groups and roles of many users in one statement. */
export async function membershipsOf(db: Database, userIds: readonly number[]): Promise<Memberships> {
  const ids = among(db, userIds)
  const { rows } = await sql<{ kind: 'group' | 'role'; user_id: number; name: string }>`
    select 'group' as kind, user_id, name, id from user_group_map join groups on groups.id = group_id where user_id in ${ids}
    union all
    select 'role' as kind, user_id, name, id from user_role_map join roles on roles.id = role_id where user_id in ${ids}
    order by id`.execute(db)
  const groups = new Map<number, string[]>()
  const roles = new Map<number, string[]>()
  for (const { kind, user_id, name } of rows) {
    const names = kind === 'group' ? groups : roles
    const known = names.get(user_id)
    if (known === undefined) names.set(user_id, [name])
    else known.push(name)
  }
  return { groups, roles }
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
