import { createHash, randomUUID } from 'node:crypto'

import type { Selectable } from 'kysely'

import type { Database, Tables } from './tables.ts'
import { toStored } from './time.ts'
import { HUB_CLIENT } from './tokens.ts'

/** A row of `oauth_clients`: a server that logs browsers in through the hub. */
export type OauthClient = Selectable<Tables['oauth_clients']>

/** How long a code can be exchanged, in seconds; as JupyterHub. */
const CODE_LIFE_SECONDS = 300

/** Makes sure that the client exists to which tokens made on request belong. */
export async function ensureHubClient(db: Database): Promise<void> {
  await db
    .insertInto('oauth_clients')
    .values({ identifier: HUB_CLIENT, description: 'JupyterHub', secret: '', redirect_uri: '', allowed_scopes: '[]' })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Finds a client and the server it belongs to. */
export async function findClient(
  db: Database,
  identifier: string,
): Promise<(OauthClient & { readonly server: { readonly user: string; readonly name: string } }) | undefined> {
  const client = await db
    .selectFrom('oauth_clients')
    .innerJoin('spawners', 'spawners.oauth_client_id', 'oauth_clients.identifier')
    .innerJoin('users', 'users.id', 'spawners.user_id')
    .selectAll('oauth_clients')
    .select(['users.name as user', 'spawners.name as server'])
    .where('identifier', '=', identifier)
    .executeTakeFirst()
  if (client === undefined) return undefined
  const { user, server, ...rest } = client
  return { ...rest, server: { user, name: server } }
}

/** Whether some browser of a user is logged in at a client. */
export async function hasLogin(db: Database, clientId: string, userId: number, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('api_tokens')
    .select('id')
    .where('client_id', '=', clientId)
    .where('user_id', '=', userId)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', toStored(now))]))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** What a code stands for. */
export interface CodeGrant {
  readonly clientId: string
  readonly redirectUri: string
  readonly sessionId: string
  readonly userId: number
  readonly scopes: readonly string[]
  /** Proof key of RFC 7636, method S256. */
  readonly challenge?: string
}

/** Makes a code, good for one exchange within five minutes. */
export async function insertCode(db: Database, grant: CodeGrant, now: Date): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1000)
  await db.deleteFrom('oauth_codes').where('expires_at', '<', seconds).execute()
  const code = randomUUID()
  await db
    .insertInto('oauth_codes')
    .values({
      client_id: grant.clientId,
      code: stored(code, grant.challenge),
      expires_at: seconds + CODE_LIFE_SECONDS,
      redirect_uri: grant.redirectUri,
      session_id: grant.sessionId,
      user_id: grant.userId,
      scopes: JSON.stringify(grant.scopes),
    })
    .execute()
  return code
}

/**
 * Uses a code up. `undefined` when it is unknown, too old, another client's, or its proof key does not fit.
 *
 * One statement deletes and returns it, so two exchanges at once cannot both succeed.
 */
export async function takeCode(
  db: Database,
  use: { readonly code: string; readonly clientId: string; readonly verifier: string | undefined },
  now: Date,
): Promise<CodeGrant | undefined> {
  const challenge =
    use.verifier === undefined ? undefined : createHash('sha256').update(use.verifier).digest('base64url')
  const row = await db
    .deleteFrom('oauth_codes')
    .where('code', '=', stored(use.code, challenge))
    .where('client_id', '=', use.clientId)
    .returningAll()
    .executeTakeFirst()
  if (row === undefined || row.expires_at < now.getTime() / 1000) return undefined
  return {
    clientId: row.client_id,
    redirectUri: row.redirect_uri,
    sessionId: row.session_id,
    userId: row.user_id,
    scopes: JSON.parse(row.scopes) as string[],
  }
}

/**
 * The 36 characters kept for a code: without the proof key they cannot be formed, so the table needs no column for it.
 *
 * Hashed, since whoever reads the database must not be able to use a code.
 */
function stored(code: string, challenge: string | undefined): string {
  return createHash('sha256')
    .update(`${code}\n${challenge ?? ''}`)
    .digest('hex')
    .slice(0, 36)
}
