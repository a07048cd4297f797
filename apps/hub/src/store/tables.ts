import type { Generated, Kysely } from 'kysely'

/** A yes or no: 0 or 1 in SQLite, a boolean in Postgres. Read it through `Boolean()`. */
type Flag = boolean | number

/** Users, as JupyterHub keeps them. */
export interface UsersTable {
  id: Generated<number>
  name: string
  admin: Flag
  created: string
  last_activity: string | null
  cookie_id: string
  state: string | null
  encrypted_auth_state: Uint8Array | null
}

export interface ServersTable {
  id: Generated<number>
  proto: string
  ip: string
  port: number
  base_url: string
  cookie_name: string
}

export interface SpawnersTable {
  id: Generated<number>
  user_id: number
  server_id: number | null
  state: string | null
  name: string
  started: string | null
  last_activity: string | null
  user_options: string | null
  oauth_client_id: string | null
}

export interface ApiTokensTable {
  id: Generated<number>
  user_id: number | null
  service_id: number | null
  hashed: string
  prefix: string
  client_id: string
  session_id: string | null
  created: string
  expires_at: string | null
  last_activity: string | null
  note: string | null
  scopes: string
}

interface OauthClientsTable {
  id: Generated<number>
  identifier: string
  description: string
  secret: string
  redirect_uri: string
  allowed_scopes: string
}

interface OauthCodesTable {
  id: Generated<number>
  client_id: string
  code: string
  expires_at: number
  redirect_uri: string
  session_id: string
  user_id: number
  scopes: string
}

interface RolesTable {
  id: Generated<number>
  name: string
  description: string
  scopes: string
}

interface GroupsTable {
  id: Generated<number>
  name: string
}

interface ServicesTable {
  id: Generated<number>
  name: string
  admin: Flag
  _server_id: number | null
  pid: number | null
  oauth_client_id: string | null
}

/** Every table of the hub's own; `@org/native-auth` keeps its tables in the same database. */
export interface Tables {
  users: UsersTable
  servers: ServersTable
  spawners: SpawnersTable
  api_tokens: ApiTokensTable
  oauth_clients: OauthClientsTable
  oauth_codes: OauthCodesTable
  roles: RolesTable
  groups: GroupsTable
  services: ServicesTable
  user_group_map: { user_id: number; group_id: number }
  user_role_map: { user_id: number; role_id: number }
  group_role_map: { group_id: number; role_id: number }
  service_role_map: { service_id: number; role_id: number }
  alembic_version: { version_num: string }
}

/** The hub's database. */
export type Database = Kysely<Tables>
