import type {
  ColumnType,
  ExpressionBuilder,
  ExpressionWrapper,
  Generated,
  Insertable,
  Kysely,
  Selectable,
  SqlBool,
  Updateable,
} from 'kysely'

/** Milliseconds since the epoch: a number on the way in; Postgres hands 64-bit integers back as text. */
type Instant = ColumnType<number | string, number, number>
type NullableInstant = ColumnType<number | string | null, number | null, number | null>
/** 0 or 1, on both databases: drivers disagree about booleans. */
type Flag = ColumnType<number, number, number>

interface AccountsTable {
  id: Generated<number>
  /** Canonical form: unique. */
  username: string
  /** As it was typed. */
  display_name: string
  /** PHC string, or a bcrypt string until the first login after an import. */
  password_hash: string
  email: string | null
  profile: string
  is_authorised: Flag
  is_admin: Flag
  is_blocked: Flag
  blocked_reason: string | null
  blocked_until: NullableInstant
  terms_accepted_at: NullableInstant
  /** Failures in a row over all networks; the ceiling of the lockout counts it. */
  failures: ColumnType<number, number | undefined, number>
  /** Encrypted TOTP secret. */
  totp_secret: string | null
  /** Last accepted time step; an older one is refused. */
  totp_step: ColumnType<number, number | undefined, number>
  has_totp: Flag
  created_at: Instant
  authorised_at: NullableInstant
  last_login_at: NullableInstant
  password_changed_at: Instant
}

interface SessionsTable {
  /** SHA-256 of the token, base64url. */
  token_hash: string
  /** Public name, for lists and revocation. */
  id: string
  account_id: number
  created_at: Instant
  used_at: Instant
  ip: string | null
  user_agent: string | null
}

interface TokensTable {
  /** SHA-256 of the token, base64url. */
  token_hash: string
  kind: string
  account_id: number | null
  data: string
  tries: ColumnType<number, number | undefined, number>
  created_at: Instant
  expires_at: Instant
}

interface RecoveryCodesTable {
  id: Generated<number>
  account_id: number
  code_hash: string
}

interface ThrottleTable {
  /** Keyed hash of what is counted: a typed name may be somebody's password. */
  key: string
  hits: number
  /** 1 when the latest attempt was refused. */
  denied: Flag
  blocked_until: Instant
  expires_at: Instant
}

interface AuditTable {
  id: Generated<number>
  at: Instant
  action: string
  actor_id: number | null
  account_id: number | null
  username: string | null
  ip: string | null
  details: string
}

export interface AuthTables {
  native_auth_accounts: AccountsTable
  native_auth_sessions: SessionsTable
  native_auth_tokens: TokensTable
  native_auth_recovery_codes: RecoveryCodesTable
  native_auth_throttle: ThrottleTable
  native_auth_audit: AuditTable
}

/** A database, or an open transaction on it. */
export type AuthDb = Kysely<AuthTables>

export type AccountRow = Selectable<AccountsTable>

/** What a session check reads of an account: nothing that could open one. */
export const ACCOUNT_COLUMNS = [
  'id',
  'username',
  'display_name',
  'email',
  'profile',
  'is_authorised',
  'is_admin',
  'is_blocked',
  'blocked_reason',
  'blocked_until',
  'has_totp',
  'created_at',
  'last_login_at',
] as const

export type AccountView = Pick<AccountRow, (typeof ACCOUNT_COLUMNS)[number]>

/**
 * The account as somebody proved to be it: with the password and the second factor that were asked for.
 *
 * Whoever proved the old ones must not act on an account that has new ones meanwhile.
 */
export function asProved({ id, password_changed_at, has_totp }: AccountRow) {
  return (
    where: ExpressionBuilder<AuthTables, 'native_auth_accounts'>,
  ): ExpressionWrapper<AuthTables, 'native_auth_accounts', SqlBool> =>
    where.and({ id, password_changed_at: Number(password_changed_at), has_totp })
}

export type AccountUpdate = Updateable<AccountsTable>

export type NewAccountRow = Insertable<AccountsTable>

export type NewSessionRow = Insertable<SessionsTable>

export type NewAuditRow = Insertable<AuditTable>
