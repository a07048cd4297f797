import type { Account } from '../../accounts/account.ts'
import type { SessionSummary } from '../../sessions/sessions.ts'

/** What the world may see of an account: number, name and profile. */
export function presentAccount<Profile>(account: Account<Profile>): Record<string, unknown> {
  return { ...(account.profile as Record<string, unknown>), id: account.id, username: account.username }
}

const date = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString())

/** What its owner and administrators see of an account. */
export function presentOwnAccount<Profile>(account: Account<Profile>): Record<string, unknown> {
  return {
    ...presentAccount(account),
    display_name: account.displayName,
    email: account.email ?? null,
    is_admin: account.isAdmin,
    is_authorised: account.isAuthorised,
    has_second_factor: account.hasSecondFactor,
    created_at: date(account.createdAt),
    last_login_at: date(account.lastLoginAt),
  }
}

/** What administrators see besides. */
export function presentForAdmin<Profile>(account: Account<Profile>): Record<string, unknown> {
  return {
    ...presentOwnAccount(account),
    is_blocked: account.isBlocked,
    blocked_reason: account.blockedReason ?? null,
    blocked_until: date(account.blockedUntil),
  }
}

export function presentSession(session: SessionSummary, current: string): Record<string, unknown> {
  return {
    id: session.id,
    is_current: session.id === current,
    created_at: date(session.createdAt),
    used_at: date(session.usedAt),
    expires_at: date(session.expiresAt),
    ip: session.ip ?? null,
    user_agent: session.userAgent ?? null,
  }
}
