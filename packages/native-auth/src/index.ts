export { createNativeAuth } from './native-auth.ts'
export type {
  HandlerContext,
  NativeAuth,
  NativeAuthCore,
  PasswordActions,
  PasswordChange,
  SessionActions,
} from './native-auth-types.ts'
export { NativeAuthError } from './errors.ts'
export type { Issue, NativeAuthErrorCode, NativeAuthErrorOptions } from './errors.ts'
export type {
  ClientLimitOptions,
  CookieOptions,
  HookEvent,
  Hooks,
  LockoutOptions,
  MailMessage,
  NativeAuthOptions,
  PasswordOptions,
  SessionOptions,
  SignUpOptions,
} from './options.ts'
export type { Account } from './accounts/account.ts'
export type { AccountFilter, AccountPage, AccountStore, BlockOptions } from './accounts/accounts.ts'
export type { AccountRef, Actor } from './accounts/administer.ts'
export type { AttemptClient, Credentials } from './accounts/authenticate.ts'
export type { ImportEntry, ImportProblem, ImportReport, UnreadableEntry } from './accounts/import/entry.ts'
export { readFirstUse } from './accounts/import/first-use.ts'
export type { ImportSource } from './accounts/import/import.ts'
export { readNativeAuthenticator } from './accounts/import/native-authenticator.ts'
export { profileFields } from './accounts/profile.ts'
export type { ProfileDefinition, ProfileField, ProfileOf, ProfileSchema } from './accounts/profile.ts'
export type { NewAccount } from './accounts/sign-up.ts'
export type { Page, PageKind, PageOptions, PageView } from './http/pages/views.ts'
export type { RandomBytes } from './internal/secrets.ts'
export type { SchemaIssue, SchemaResult, StandardSchema } from './internal/standard-schema.ts'
export type { Links, OneTimeLink } from './accounts/links.ts'
export type { EnrolledSession, Enrolment, FactorProof, SecondFactor } from './second-factor/second-factor.ts'
export { argon2Hasher } from './passwords/hasher.ts'
export type { Argon2Cost, PasswordHasher } from './passwords/hasher.ts'
export type { BreachCheck } from './passwords/policy.ts'
export type { ClientInfo, NewSession, Session, SessionStore, SessionSummary } from './sessions/sessions.ts'
export type { AuditAction, AuditEntry } from './store/audit.ts'
export { migrate, migrations } from './store/migrations.ts'
