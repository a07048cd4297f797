import { sql } from 'kysely'

import type { AuthDb } from '../store/tables.ts'

/** How one kind of attempt is counted. */
export interface Limit {
  /** Attempts allowed in a row (lockout) or in a window (rate). */
  readonly hits: number
  /** Life of the count, in milliseconds: from the first attempt (rate) or the last one (lockout). */
  readonly windowMs: number
  /** First refusal of a lockout, in milliseconds; each further one doubles. 0: a rate, refused until its window ends. */
  readonly blockMs: number
  /** Longest refusal of a lockout, in milliseconds. */
  readonly maxBlockMs: number
}

/** What became of an attempt. */
export interface Attempt {
  readonly allowed: boolean
  /** When the next one is allowed, in milliseconds since the epoch. */
  readonly nextAt: number
  /** Whether this attempt was the one that used up the allowance. */
  readonly last: boolean
}

/**
 * Counts an attempt before it is made, in one statement, so that parallel attempts cannot pass together.
 *
 * While refused, attempts neither count nor extend the refusal. After it, one further failure refuses again, for
 * twice as long.
 */
export async function attempt(db: AuthDb, key: string, limit: Limit, now: number): Promise<Attempt> {
  const lockout = limit.blockMs > 0
  const expiresAt = now + limit.windowMs
  const doublings = lockout ? Math.min(20, Math.max(0, Math.ceil(Math.log2(limit.maxBlockMs / limit.blockMs)))) : 0
  const int = (value: number) => sql<number>`cast(${value} as bigint)`
  const expired = sql<boolean>`native_auth_throttle.expires_at <= ${int(now)}`
  const refused = lockout
    ? sql<boolean>`native_auth_throttle.blocked_until > ${int(now)}`
    : sql<boolean>`native_auth_throttle.hits >= ${int(limit.hits)}`
  const over = sql<number>`native_auth_throttle.hits + 1 - ${int(limit.hits)}`
  // 1 << n is the power of two that both databases know.
  const length = sql<number>`case when ${over} >= ${int(doublings)} then ${int(limit.maxBlockMs)} else ${int(limit.blockMs)} * (1 << cast(${over} as integer)) end`
  const blockedUntil = lockout
    ? sql<number>`case when ${expired} then ${int(limit.hits <= 1 ? now + limit.blockMs : 0)}
        when ${refused} then native_auth_throttle.blocked_until when ${over} >= 0 then ${int(now)} + ${length} else 0 end`
    : int(0)
  const row = await db
    .insertInto('native_auth_throttle')
    .values({
      key,
      hits: 1,
      denied: 0,
      blocked_until: lockout && limit.hits <= 1 ? now + limit.blockMs : 0,
      expires_at: expiresAt,
    })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        hits: sql<number>`case when ${expired} then 1 when ${refused} then native_auth_throttle.hits else native_auth_throttle.hits + 1 end`,
        denied: sql<number>`case when ${expired} then 0 when ${refused} then 1 else 0 end`,
        blocked_until: blockedUntil,
        expires_at: lockout
          ? sql<number>`case when ${refused} then native_auth_throttle.expires_at else ${int(expiresAt)} end`
          : sql<number>`case when ${expired} then ${int(expiresAt)} else native_auth_throttle.expires_at end`,
      }),
    )
    .returning(['hits', 'denied', 'blocked_until', 'expires_at'])
    .executeTakeFirstOrThrow()
  const until = lockout ? Number(row.blocked_until) : Number(row.expires_at)
  return { allowed: row.denied === 0, nextAt: until, last: row.denied === 0 && row.hits >= limit.hits }
}

/** Forgets a count. */
export async function forget(db: AuthDb, key: string): Promise<void> {
  await db.deleteFrom('native_auth_throttle').where('key', '=', key).execute()
}
