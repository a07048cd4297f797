import type { AuthDb, NewAuditRow } from './tables.ts'

/** What the audit trail can hold. A minor release may add actions. */
export type AuditAction =
  | 'signed-up'
  | 'logged-in'
  | 'login-failed'
  | 'locked'
  | 'unlocked'
  | 'logged-out'
  | 'session-revoked'
  | 'authorised'
  | 'unauthorised'
  | 'blocked'
  | 'unblocked'
  | 'removed'
  | 'admin-granted'
  | 'admin-withdrawn'
  | 'password-changed'
  | 'password-reset'
  | 'link-issued'
  | 'second-factor-on'
  | 'second-factor-off'
  | 'recovery-code-used'
  | 'recovery-codes-renewed'
  | 'imported'

/** One line of the trail. Never holds a password, a token, a code or a hash. */
export interface AuditEntry {
  readonly id: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly action: AuditAction
  /** Who did it; `undefined` for somebody not logged in and for the command line. */
  readonly actorId: number | undefined
  readonly accountId: number | undefined
  /** Name of the account at that time. */
  readonly username: string | undefined
  readonly ip: string | undefined
  readonly details: Readonly<Record<string, string | number | boolean>>
}

export interface NewAuditEntry {
  readonly at: number
  readonly action: AuditAction
  readonly actorId?: number | undefined
  readonly accountId?: number | undefined
  readonly username?: string | undefined
  readonly ip?: string | undefined
  readonly details?: AuditEntry['details']
}

/** The row of an entry. */
export const auditRow = (entry: NewAuditEntry): NewAuditRow => ({
  at: entry.at,
  action: entry.action,
  actor_id: entry.actorId ?? null,
  account_id: entry.accountId ?? null,
  username: entry.username ?? null,
  ip: entry.ip ?? null,
  details: JSON.stringify(entry.details ?? {}),
})

export async function writeAudit(db: AuthDb, entry: NewAuditEntry): Promise<void> {
  await db.insertInto('native_auth_audit').values(auditRow(entry)).execute()
}

/** Reads the trail, newest first. */
export async function readAudit(
  db: AuthDb,
  filter: { readonly accountId?: number; readonly before?: number; readonly limit?: number } = {},
): Promise<readonly AuditEntry[]> {
  let query = db
    .selectFrom('native_auth_audit')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(Math.min(1000, Math.max(1, filter.limit ?? 100)))
  if (filter.accountId !== undefined) query = query.where('account_id', '=', filter.accountId)
  if (filter.before !== undefined) query = query.where('id', '<', filter.before)
  const rows = await query.execute()
  return rows.map((row) => ({
    id: row.id,
    at: Number(row.at),
    action: row.action as AuditAction,
    actorId: row.actor_id ?? undefined,
    accountId: row.account_id ?? undefined,
    username: row.username ?? undefined,
    ip: row.ip ?? undefined,
    details: JSON.parse(row.details) as AuditEntry['details'],
  }))
}
