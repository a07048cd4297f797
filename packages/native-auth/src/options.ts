import type { Kysely } from 'kysely'

import type { Account } from './accounts/account.ts'
import type { StandardSchema } from './internal/standard-schema.ts'
import type { RandomBytes } from './internal/secrets.ts'
import type { PageOptions } from './http/pages/views.ts'
import type { BreachCheck } from './passwords/policy.ts'
import type { PasswordHasher } from './passwords/hasher.ts'

/** Options of {@link createNativeAuth}. */
export interface NativeAuthOptions<DB, Profile> {
  /** The application's own Kysely instance, on better-sqlite3 or pg. Not closed by this package. */
  readonly db: Kysely<DB>
  /** At least 32 characters, kept by the operator; signs forms and device cookies and encrypts TOTP secrets. */
  readonly secret: string
  /** Path that pages and routes live under, such as `/hub`; empty for the root. @default '/auth' */
  readonly basePath?: string
  /**
   * Origins that browsers see, such as `https://hub.example.org`; the first one is used in links.
   * @default the origin of each request
   */
  readonly origins?: readonly string[]
  /** Where a login leads when `next` is absent or points elsewhere. @default `basePath` + '/account' */
  readonly home?: string
  /** Allows cookies over plain http, under another name; for development and tests. @default false */
  readonly allowInsecureCookies?: boolean
  readonly cookies?: CookieOptions
  readonly signUp?: SignUpOptions
  readonly passwords?: PasswordOptions
  readonly lockout?: LockoutOptions
  readonly clientLimits?: ClientLimitOptions
  readonly sessions?: SessionOptions
  /** Who has a second factor: nobody may, everybody may, admins must, all must. @default 'optional' */
  readonly secondFactor?: 'off' | 'optional' | 'admins' | 'all'
  /** Name of the service on pages, in authenticator apps and among the refused passwords. @default 'Hub' */
  readonly serviceName?: string
  /** Names that become administrators when they sign up; needs `adminToken`, unless the preset is `compat`. @default [] */
  readonly adminUsers?: readonly string[]
  /** Names that are authorised when they sign up. @default [] */
  readonly allowedUsers?: readonly string[]
  /** Names that can neither sign up nor log in. @default [] */
  readonly blockedUsers?: readonly string[]
  /** Proof that a name of `adminUsers` is claimed by its owner; at least 16 characters, from the environment. */
  readonly adminToken?: string
  /** What a whole new username must match. Never anchored partially. */
  readonly usernamePattern?: RegExp
  /** Names that mean other names, such as `{ root: 'admin' }`. @default {} */
  readonly usernameMap?: Readonly<Record<string, string>>
  /** Refuses usernames that mix alphabets, such as Latin with Cyrillic. @default false */
  readonly refuseMixedScripts?: boolean
  /** Fields beside name and password, checked by any Standard Schema; {@link profileFields} makes one. */
  readonly profile?: StandardSchema<Profile>
  /** Sends mail; without it nothing is mailed and the features that need it are off. Needs `origins`. */
  readonly mail?: (message: MailMessage) => Promise<void>
  readonly hooks?: Hooks<Profile>
  readonly pages?: PageOptions<Profile>
  /** Told of failures that no caller sees: hooks, rehashing, unexpected errors. @default writes the error's name and code to stderr */
  readonly onError?: (error: unknown) => void
  /** Clock, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
  /** Source of unpredictable bytes. @default crypto.randomBytes */
  readonly randomBytes?: RandomBytes
}

/** Names and reach of the three cookies: `session`, `form` and `device`. */
export interface CookieOptions {
  /**
   * What the names begin with, after the `__Host-` or `__Secure-` that https brings; letters, digits and `. _ -`.
   * Changing it logs everybody out.
   * @default 'native-auth-'
   */
  readonly prefix?: string
  /**
   * Path below which browsers send them; must hold `basePath`. A narrow one keeps the login from what else runs on the
   * origin, at the price of `__Host-`: the names then begin with `__Secure-`.
   * @default '/'
   */
  readonly path?: string
}

/** Rules of sign-up. */
export interface SignUpOptions {
  /** @default true */
  readonly enabled?: boolean
  /**
   * New accounts are authorised at once: all, or those whose username, as it is kept, the function accepts. A service
   * that already knows somebody by that name refuses it, or whoever signs up first is that person.
   * @default false
   */
  readonly open?: boolean | ((username: string) => boolean | Promise<boolean>)
  /** Asks for an e-mail address. @default false */
  readonly askEmail?: boolean
  /** Terms that must be accepted, as trusted HTML; the time of acceptance is kept. */
  readonly termsHtml?: string
  /** Whole addresses whose owners may authorise themselves by a mailed link; needs `mail` and `origins`. */
  readonly selfApproval?: RegExp
  /** Checks the answer to a captcha; its markup comes from `pages.captchaHtml`. */
  readonly captcha?: (answer: string, client: { readonly ip: string | undefined }) => Promise<boolean>
  /** Form field and JSON property that carry the answer. @default 'captcha' */
  readonly captchaField?: string
}

/** Rules of passwords. */
export interface PasswordOptions {
  /**
   * `compat`: length 1 and nothing else, as NativeAuthenticator; `default`: length 8, neither common nor like the
   * username; `strict`: the same with length 15.
   * @default 'default'
   */
  readonly preset?: 'compat' | 'default' | 'strict'
  /** Shortest password, in code points. @default by preset: 1, 8 or 15 */
  readonly minLength?: number
  /** Refuses passwords of the bundled list. @default by preset: false, true, true */
  readonly refuseCommon?: boolean
  /** Refuses passwords like the username, the e-mail address or the service's name. @default by preset: false, true, true */
  readonly refuseSimilar?: boolean
  /** Asks whether a password is known to be stolen. */
  readonly breachCheck?: BreachCheck
  /** What a failing `breachCheck` means. @default 'accept' */
  readonly breachCheckFailure?: 'accept' | 'refuse'
  /** @default argon2Hasher() */
  readonly hasher?: PasswordHasher
  /** Hashes at once. Keep it below `UV_THREADPOOL_SIZE`. @default 3, or the number of cores where there are fewer */
  readonly inFlight?: number
  /** Hashes that wait; what comes beyond is refused with `NATIVE_AUTH_BUSY`. @default 64 */
  readonly waiting?: number
}

/** Limits on wrong passwords and codes for one account. */
export interface LockoutOptions {
  /** Failures in a row from one network that lock it out of the account; 0 never locks. @default 10 */
  readonly failures?: number
  /** First lock, in seconds; each further one doubles. @default 900 */
  readonly seconds?: number
  /** Longest lock, in seconds. @default 86_400 */
  readonly maxSeconds?: number
  /** Failures in a row from all networks together that lock the account until it is unlocked. @default 100 */
  readonly ceiling?: number
}

/** Limits on what one client address may do; used only when the adapter passes the address. */
export interface ClientLimitOptions {
  /** 0 switches the limit off. @default 10 */
  readonly loginsPerMinute?: number
  /** 0 switches the limit off. @default 5 */
  readonly signUpsPerHour?: number
  /** Mails with a link to a new password. 0 switches the limit off. @default 5 */
  readonly resetsPerHour?: number
}

/** Life of a session. */
export interface SessionOptions {
  /** Ends after so long without a request, in seconds. @default 604_800 (7 days) */
  readonly idleSeconds?: number
  /** Ends after so long in any case, in seconds. @default 2_592_000 (30 days) */
  readonly absoluteSeconds?: number
  /**
   * Live sessions of one account; one more ends the one that was not used for longest. Uses are noted once an hour.
   * Logins in parallel may pass it until the next login. 0 counts none.
   * @default 100
   */
  readonly maxPerAccount?: number
}

/** A mail to one reader. */
export interface MailMessage {
  readonly to: string
  readonly kind: 'confirm' | 'reset'
  readonly subject: string
  readonly text: string
}

/** What happened, for hooks; sent after it is stored. */
export interface HookEvent<Profile> {
  readonly account: Account<Profile>
  /** Who did it; absent when it was the owner or nobody who is logged in. */
  readonly actorId: number | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Told after the fact; a failing hook goes to `onError` and changes nothing. */
export interface Hooks<Profile> {
  readonly signedUp?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly authorised?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly unauthorised?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly blocked?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly unblocked?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly removed?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly adminChanged?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly loggedIn?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly locked?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly passwordChanged?: (event: HookEvent<Profile>) => void | Promise<void>
  readonly secondFactorChanged?: (event: HookEvent<Profile>) => void | Promise<void>
}
