import { hash, randomBytes } from 'node:crypto'

import { type Selectable, sql } from 'kysely'

import type { ApiTokensTable, Database } from './tables.ts'
import { fromStored, toStored } from './time.ts'

/** The oauth client that stands for the hub itself; tokens made on request belong to it. */
export const HUB_CLIENT = 'jupyterhub'

/** A row of `api_tokens`. */
export type ApiToken = Selectable<ApiTokensTable>

/** What a new token is for. */
export interface NewToken {
  readonly userId?: number
  readonly serviceId?: number
  readonly clientId?: string
  readonly sessionId?: string
  readonly note?: string
  readonly scopes: readonly string[]
  readonly expiresAt?: Date
}

/** Makes a token: 128 random bits as 32 hexadecimal digits, like JupyterHub's. */
export function generateToken(): string {
  return randomBytes(16).toString('hex')
}

/**
 * The stored form of a token, as JupyterHub writes generated ones: one round, no salt.
 *
 * A random token needs no slow hash, and without a salt the row is found by its index: one look-up for any token.
 */
export function hashToken(token: string): string {
  return `sha512:1::${hash('sha512', token)}`
}

/** Stores a token and returns its row; the token itself is not kept. */
export async function insertToken(db: Database, token: string, options: NewToken, now: Date): Promise<ApiToken> {
  return db
    .insertInto('api_tokens')
    .values({
      user_id: options.userId ?? null,
      service_id: options.serviceId ?? null,
      hashed: hashToken(token),
      prefix: token.slice(0, 4),
      client_id: options.clientId ?? HUB_CLIENT,
      session_id: options.sessionId ?? null,
      created: toStored(now),
      expires_at: options.expiresAt === undefined ? null : toStored(options.expiresAt),
      last_activity: null,
      note: options.note ?? null,
      scopes: JSON.stringify(options.scopes),
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Finds a token by its stored form, expired or not. One that a login brought is found as long as the login lasts. */
export async function tokenByHash(db: Database, hashed: string): Promise<ApiToken | undefined> {
  const { rows } = await sql<ApiToken>`select * from api_tokens where hashed = ${hashed}
    and (session_id is null or session_id in (select id from native_auth_sessions))`.execute(db)
  return rows[0]
}

/** Finds the row of a presented token; expired ones are not found. */
export async function findToken(db: Database, token: string, now: Date): Promise<ApiToken | undefined> {
  const row = await tokenByHash(db, hashToken(token))
  return row === undefined || isExpired(row, now) ? undefined : row
}

/** Whether a token's time is over. */
export function isExpired(token: Pick<ApiToken, 'expires_at'>, now: Date): boolean {
  return token.expires_at !== null && fromStored(token.expires_at) <= now
}

/** A user's tokens that still count, the longest unused first. Expired ones are removed on the way. */
export async function tokensOf(db: Database, userId: number, now: Date): Promise<ApiToken[]> {
  await db.deleteFrom('api_tokens').where('user_id', '=', userId).where('expires_at', '<=', toStored(now)).execute()
  const rows = await db.selectFrom('api_tokens').selectAll().where('user_id', '=', userId).execute()
  const used = (row: ApiToken) => row.last_activity ?? row.created
  return rows.sort((a, b) => (used(a) < used(b) ? -1 : 1))
}

/** Revokes a token; one that a browser got through OAuth goes with all its siblings of the same client. */
export async function deleteToken(db: Database, token: ApiToken): Promise<void> {
  const query = db.deleteFrom('api_tokens')
  if (token.client_id === HUB_CLIENT) await query.where('id', '=', token.id).execute()
  else await query.where('client_id', '=', token.client_id).where('user_id', '=', token.user_id).execute()
}

/** Revokes all tokens of a user. */
export async function deleteTokensOf(db: Database, userId: number): Promise<void> {
  await db.deleteFrom('api_tokens').where('user_id', '=', userId).execute()
}

/** Removes what has expired: tokens, and codes for tokens. */
export async function deleteExpired(db: Database, now: Date): Promise<void> {
  await db.deleteFrom('api_tokens').where('expires_at', '<=', toStored(now)).execute()
  const seconds = Math.floor(now.getTime() / 1000)
  await db.deleteFrom('oauth_codes').where('expires_at', '<', seconds).execute()
}

/** Removes what browsers got through logins that have ended: tokens for servers, and codes for tokens. */
export async function deleteStrayLogins(db: Database): Promise<void> {
  for (const table of ['api_tokens', 'oauth_codes'] as const) {
    // Said twice: of nothing, even what is null is not in it.
    await sql`delete from ${sql.table(table)}
      where session_id is not null and session_id not in (select id from native_auth_sessions)`.execute(db)
  }
}
