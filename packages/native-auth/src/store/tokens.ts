import { hashToken, newToken, type RandomBytes } from '../internal/secrets.ts'
import type { AuthDb } from './tables.ts'

/** What a one-time token is for. */
export type TokenKind = 'challenge' | 'enrolment' | 'confirm' | 'reset'

export interface StoredToken {
  readonly accountId: number
  readonly data: string
}

/** Makes a token; the database keeps its hash. */
export async function issueToken(
  db: AuthDb,
  random: RandomBytes,
  token: {
    readonly kind: TokenKind
    readonly accountId: number
    readonly now: number
    readonly ttlMs: number
    readonly data?: string
  },
): Promise<string> {
  const text = newToken(random)
  await db
    .insertInto('native_auth_tokens')
    .values({
      token_hash: hashToken(text),
      kind: token.kind,
      account_id: token.accountId,
      data: token.data ?? '',
      created_at: token.now,
      expires_at: token.now + token.ttlMs,
    })
    .execute()
  return text
}

/** Looks at a token without using it up. */
export async function peekToken(
  db: AuthDb,
  kind: TokenKind,
  token: string,
  now: number,
): Promise<StoredToken | undefined> {
  const row = await db
    .selectFrom('native_auth_tokens')
    .select(['account_id', 'data'])
    .where('token_hash', '=', hashToken(token))
    .where('kind', '=', kind)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return toStored(row)
}

/** Counts a try against a token before it is made; `undefined` when there is none left. */
export async function tryToken(
  db: AuthDb,
  kind: TokenKind,
  token: string,
  now: number,
  maxTries: number,
): Promise<StoredToken | undefined> {
  const row = await db
    .updateTable('native_auth_tokens')
    .set((update) => ({ tries: update('tries', '+', 1) }))
    .where('token_hash', '=', hashToken(token))
    .where('kind', '=', kind)
    .where('expires_at', '>', now)
    .where('tries', '<', maxTries)
    .returning(['account_id', 'data'])
    .executeTakeFirst()
  return toStored(row)
}

/** Uses a token up; of several at once, one gets it. */
export async function takeToken(
  db: AuthDb,
  kind: TokenKind,
  token: string,
  now: number,
): Promise<StoredToken | undefined> {
  const row = await db
    .deleteFrom('native_auth_tokens')
    .where('token_hash', '=', hashToken(token))
    .where('kind', '=', kind)
    .where('expires_at', '>', now)
    .returning(['account_id', 'data'])
    .executeTakeFirst()
  return toStored(row)
}

function toStored(row: { account_id: number | null; data: string } | undefined): StoredToken | undefined {
  return row === undefined || row.account_id === null ? undefined : { accountId: row.account_id, data: row.data }
}
