import { type Selectable, sql } from 'kysely'

import { HubError, RequestError } from '../errors.ts'
import { among } from './among.ts'
import type { Database, ServersTable, SpawnersTable } from './tables.ts'
import { generateToken, insertToken } from './tokens.ts'
import { toStored } from './time.ts'
import type { User } from './users.ts'

/** A row of `spawners`: a server that a user has or had, running or not. */
export type SpawnerRow = Selectable<SpawnersTable>
/** A row of `servers`: the address of a running server. */
type ServerRow = Selectable<ServersTable>

/** The servers of some users, running or not. */
export async function spawnersOf(db: Database, userIds: readonly number[]): Promise<SpawnerRow[]> {
  const query = sql<SpawnerRow>`select * from spawners where user_id in ${among(db, userIds)} order by id`
  return (await query.execute(db)).rows
}

/** What the database says about a server that has an address. */
export interface StoredServer {
  readonly spawner: SpawnerRow
  readonly server: ServerRow | undefined
  readonly user: User
}

/** Every server that has an address: what a starting hub finds from before. */
export async function activeServers(db: Database): Promise<StoredServer[]> {
  const spawners = await db.selectFrom('spawners').selectAll().where('server_id', 'is not', null).execute()
  const serverIds = spawners.flatMap(({ server_id }) => server_id ?? [])
  const [servers, users] = await Promise.all([
    sql<ServerRow>`select * from servers where id in ${among(db, serverIds)}`.execute(db),
    sql<User>`select * from users where id in ${among(
      db,
      spawners.map(({ user_id }) => user_id),
    )}`.execute(db),
  ])
  const serverById = new Map(servers.rows.map((row) => [row.id, row]))
  const userById = new Map(users.rows.map((row) => [row.id, row]))
  return spawners.flatMap((spawner) => {
    const user = userById.get(spawner.user_id)
    return user === undefined ? [] : [{ spawner, user, server: serverById.get(spawner.server_id ?? 0) }]
  })
}

/** What is written before a server starts. */
export interface BeginSpawn {
  readonly user: User
  readonly name: string
  readonly userOptions: unknown
  readonly prefix: string
  readonly clientId: string
  readonly cookieName: string
  readonly allowedScopes: readonly string[]
  readonly tokenScopes: readonly string[]
}

/** The rows of a server about to start, and its token: the only time it is readable. */
export interface BegunSpawn {
  readonly spawnerId: number
  readonly serverId: number
  readonly token: string
}

/**
 * Writes all that a starting server needs, in one transaction: address row, oauth client, token.
 *
 * Committed before anything runs, so that a crash leaves rows without a process rather than a process without rows.
 *
 * @throws {@link RequestError} 404 when the user was deleted meanwhile.
 */
export async function beginSpawn(db: Database, spawn: BeginSpawn, now: Date): Promise<BegunSpawn> {
  const token = generateToken()
  return db.transaction().execute(async (tx) => {
    // Keys are given out again: the user of this key may be another one by now.
    const { id, name, cookie_id: cookieId } = spawn.user
    const same = tx.selectFrom('users').select('id').where('id', '=', id).where('name', '=', name)
    if ((await same.where('cookie_id', '=', cookieId).executeTakeFirst()) === undefined) {
      throw new RequestError(404, `${name} does not exist any more`)
    }
    await tx.deleteFrom('oauth_clients').where('identifier', '=', spawn.clientId).execute()
    await tx
      .insertInto('oauth_clients')
      .values({
        identifier: spawn.clientId,
        description: `Server at ${spawn.prefix}`,
        // The server proves itself with its token, which is found by its hash; a second secret would add nothing.
        secret: '',
        redirect_uri: `${spawn.prefix}oauth_callback`,
        allowed_scopes: JSON.stringify(spawn.allowedScopes),
      })
      .execute()
    const server = await tx
      .insertInto('servers')
      .values({ proto: 'http', ip: '', port: 0, base_url: spawn.prefix, cookie_name: spawn.cookieName })
      .returning('id')
      .executeTakeFirstOrThrow()
    const values = {
      server_id: server.id,
      state: '{}',
      started: toStored(now),
      last_activity: toStored(now),
      user_options: JSON.stringify(spawn.userOptions ?? {}),
      oauth_client_id: spawn.clientId,
    }
    const known = await tx
      .updateTable('spawners')
      .set(values)
      .where('user_id', '=', spawn.user.id)
      .where('name', '=', spawn.name)
      .returning('id')
      .executeTakeFirst()
    const spawner =
      known ??
      (await tx
        .insertInto('spawners')
        .values({ ...values, user_id: spawn.user.id, name: spawn.name })
        .returning('id')
        .executeTakeFirstOrThrow())
    const options = { userId: spawn.user.id, note: `Server at ${spawn.prefix}`, scopes: spawn.tokenScopes }
    await insertToken(tx, token, options, now)
    return { spawnerId: spawner.id, serverId: server.id, token }
  })
}

/**
 * Notes the address and the state of a server that answers.
 *
 * @throws {@link HubError} `HUB_SPAWN_FAILED` when its rows are gone: it must not run unknown.
 */
export async function finishSpawn(
  db: Database,
  begun: Pick<BegunSpawn, 'spawnerId' | 'serverId'>,
  address: { readonly ip: string; readonly port: number },
  state: unknown,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('servers')
      .set(address)
      .where('id', '=', begun.serverId)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw new HubError('HUB_SPAWN_FAILED', 'The rows of the server were removed meanwhile')
    await tx
      .updateTable('spawners')
      .set({ state: JSON.stringify(state) })
      .where('id', '=', begun.spawnerId)
      .execute()
  })
}

/** Takes back all that {@link beginSpawn} wrote: address, oauth client with browser logins, the server's token. */
export async function clearSpawn(db: Database, spawnerId: number, prefix: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const row = await tx.selectFrom('spawners').selectAll().where('id', '=', spawnerId).executeTakeFirst()
    if (row === undefined) return
    if (row.oauth_client_id !== null) {
      await tx.deleteFrom('oauth_clients').where('identifier', '=', row.oauth_client_id).execute()
    }
    await tx
      .deleteFrom('api_tokens')
      .where('user_id', '=', row.user_id)
      .where('note', '=', `Server at ${prefix}`)
      .execute()
    if (row.server_id !== null) await tx.deleteFrom('servers').where('id', '=', row.server_id).execute()
    await tx
      .updateTable('spawners')
      .set({ server_id: null, state: '{}', started: null, oauth_client_id: null })
      .where('id', '=', spawnerId)
      .execute()
  })
}

/** Forgets a stopped server. */
export async function removeSpawner(db: Database, userId: number, name: string): Promise<void> {
  await db.deleteFrom('spawners').where('user_id', '=', userId).where('name', '=', name).execute()
}

/** Notes that a server was used; an older moment changes nothing. */
export async function touchSpawner(db: Database, spawnerId: number, moment: Date): Promise<void> {
  const stored = toStored(moment)
  await db
    .updateTable('spawners')
    .set({ last_activity: stored })
    .where('id', '=', spawnerId)
    .where((eb) => eb.or([eb('last_activity', 'is', null), eb('last_activity', '<', stored)]))
    .execute()
}
