import type { Selectable } from 'kysely'

import type { Database, Tables } from './tables.ts'

/** A row of `groups`. */
type Group = Selectable<Tables['groups']>

/** A group with its members and roles by name. */
export interface GroupWithMembers extends Group {
  readonly users: string[]
  readonly roles: string[]
}

/** Finds a group by name. */
export async function findGroup(db: Database, name: string): Promise<GroupWithMembers | undefined> {
  const group = await db.selectFrom('groups').selectAll().where('name', '=', name).executeTakeFirst()
  return group === undefined ? undefined : (await withMembers(db, [group]))[0]
}

/** One page of groups; `names` limits it to these. */
export async function listGroups(
  db: Database,
  names: ReadonlySet<string> | undefined,
  page: { readonly offset: number; readonly limit: number },
): Promise<{ readonly groups: GroupWithMembers[]; readonly total: number }> {
  let query = db.selectFrom('groups')
  if (names !== undefined) query = query.where('name', 'in', [...names, ''])
  const { total } = await query.select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow()
  const rows = await query.selectAll().orderBy('id').offset(page.offset).limit(page.limit).execute()
  return { groups: await withMembers(db, rows), total: Number(total) }
}

async function withMembers(db: Database, groups: readonly Group[]): Promise<GroupWithMembers[]> {
  const ids = [...groups.map(({ id }) => id), -1]
  const [users, roles] = await Promise.all([
    db
      .selectFrom('user_group_map')
      .innerJoin('users', 'users.id', 'user_id')
      .select(['group_id', 'name'])
      .where('group_id', 'in', ids)
      .orderBy('users.id')
      .execute(),
    db
      .selectFrom('group_role_map')
      .innerJoin('roles', 'roles.id', 'role_id')
      .select(['group_id', 'name'])
      .where('group_id', 'in', ids)
      .execute(),
  ])
  const namesOf = (rows: readonly { group_id: number; name: string }[], id: number) =>
    rows.filter(({ group_id }) => group_id === id).map(({ name }) => name)
  return groups.map((group) => ({ ...group, users: namesOf(users, group.id), roles: namesOf(roles, group.id) }))
}

/** Adds a group with members. */
export async function createGroup(db: Database, name: string, userIds: readonly number[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const group = await tx.insertInto('groups').values({ name }).returning('id').executeTakeFirstOrThrow()
    await addMembers(tx, group.id, userIds)
  })
}

/** Adds members; those already in stay in. */
export async function addMembers(db: Database, groupId: number, userIds: readonly number[]): Promise<void> {
  for (const user_id of userIds) {
    await db
      .insertInto('user_group_map')
      .values({ user_id, group_id: groupId })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
}

/** Removes members. */
export async function removeMembers(db: Database, groupId: number, userIds: readonly number[]): Promise<void> {
  await db
    .deleteFrom('user_group_map')
    .where('group_id', '=', groupId)
    .where('user_id', 'in', [...userIds, -1])
    .execute()
}

/** Removes a group; its users stay. */
export async function deleteGroup(db: Database, id: number): Promise<void> {
  await db.deleteFrom('groups').where('id', '=', id).execute()
}
