import type { AccountView } from '../store/tables.ts'

/** An account as callers see it; never with a hash or a secret. */
export interface Account<Profile> {
  /** Number that is never given to anybody else. */
  readonly id: number
  /** Canonical form: the one to store and compare. */
  readonly username: string
  /** As its owner typed it. */
  readonly displayName: string
  readonly email: string | undefined
  readonly profile: Profile
  readonly isAuthorised: boolean
  readonly isAdmin: boolean
  /** Whether a block is in force now. */
  readonly isBlocked: boolean
  readonly blockedReason: string | undefined
  /** End of the block, in milliseconds since the epoch; `undefined` when there is none or it has no end. */
  readonly blockedUntil: number | undefined
  readonly hasSecondFactor: boolean
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly lastLoginAt: number | undefined
}

const optionalNumber = (value: number | string | null): number | undefined =>
  value === null ? undefined : Number(value)

export function isBlockedAt(row: Pick<AccountView, 'is_blocked' | 'blocked_until'>, now: number): boolean {
  return row.is_blocked === 1 && (row.blocked_until === null || Number(row.blocked_until) > now)
}

export function toAccount<Profile>(row: AccountView, now: number): Account<Profile> {
  const blocked = isBlockedAt(row, now)
  return {
    id: row.id,
    username: row.username,
    displayName: row.display_name,
    email: row.email ?? undefined,
    profile: JSON.parse(row.profile) as Profile,
    isAuthorised: row.is_authorised === 1,
    isAdmin: row.is_admin === 1,
    isBlocked: blocked,
    blockedReason: blocked ? (row.blocked_reason ?? undefined) : undefined,
    blockedUntil: blocked ? optionalNumber(row.blocked_until) : undefined,
    hasSecondFactor: row.has_totp === 1,
    createdAt: Number(row.created_at),
    lastLoginAt: optionalNumber(row.last_login_at),
  }
}
