import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'

import type { Account } from './accounts/account.ts'
import { canonicalUsername, type UsernameRules } from './accounts/username.ts'
import { createKeyring, type Keyring, type RandomBytes } from './internal/secrets.ts'
import type { HookEvent, Hooks, NativeAuthOptions } from './options.ts'
import { argon2Hasher } from './passwords/hasher.ts'
import { createPasswords, type Passwords } from './passwords/passwords.ts'
import type { AuthDb } from './store/tables.ts'
import type { Limit } from './throttle/limits.ts'

/** The parts that every concern needs, made once from the options. */
export interface Core<Profile> {
  readonly db: AuthDb
  readonly keys: Keyring
  readonly passwords: Passwords
  readonly now: () => number
  readonly random: RandomBytes
  readonly names: UsernameRules
  readonly admins: ReadonlySet<string>
  readonly allowed: ReadonlySet<string>
  readonly blockedNames: ReadonlySet<string>
  readonly limits: {
    readonly lockout: Limit
    readonly ceiling: number
    readonly logins: Limit
    readonly signUps: Limit
    readonly resets: Limit
  }
  readonly idleMs: number
  readonly absoluteMs: number
  /** Sessions that an account keeps when it gets another one; `undefined` for all. */
  readonly sessionsBeside: number | undefined
  readonly options: Omit<NativeAuthOptions<unknown, Profile>, 'db'>
  readonly onError: (error: unknown) => void
  /** Tells a hook; never fails. */
  tell(hook: keyof Hooks<Profile>, account: Account<Profile>, actorId?: number): Promise<void>
}

/** One thread of libuv's four stays free for files and names; more hashes than cores gain nothing and delay the rest. */
const MAX_IN_FLIGHT = 3
const MINUTE = 60_000
const DAY = 86_400_000

const PRESETS = {
  compat: { minLength: 1, refuseCommon: false, refuseSimilar: false },
  default: { minLength: 8, refuseCommon: true, refuseSimilar: true },
  strict: { minLength: 15, refuseCommon: true, refuseSimilar: true },
} as const

/** Reads a number option once. @throws RangeError naming the option. */
function within(name: string, value: number, min: number, max: number): number {
  if (Number.isFinite(value) && value >= min && value <= max) return value
  throw new RangeError(`Expected \`${name}\` to be between ${min} and ${max}, got \`${value}\``)
}

/** Reads how many of something. @throws RangeError naming the option. */
function count(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(within(name, value, min, max))) return value
  throw new RangeError(`Expected \`${name}\` to be a whole number, got \`${value}\``)
}

/** Reads seconds, 1 or more, as whole milliseconds: Postgres takes no others. @throws RangeError naming the option. */
const duration = (name: string, seconds: number, max: number): number =>
  Math.round(within(name, seconds, 1, max) * 1000)

function report(error: unknown): void {
  // Name and code only: a driver's message may quote a statement with its values.
  const code = error instanceof Error && 'code' in error ? ` ${String(error.code)}` : ''
  process.stderr.write(`native-auth: ${error instanceof Error ? error.name : 'error'}${code}\n`)
}

/**
 * Validates the options and fills in the defaults.
 *
 * @throws TypeError, RangeError naming the option.
 */
export function createCore<DB, Profile>(options: NativeAuthOptions<DB, Profile>): Core<Profile> {
  if (typeof options.secret !== 'string' || options.secret.length < 32) {
    throw new TypeError('Expected `secret` to have at least 32 characters')
  }
  if (options.adminToken !== undefined && options.adminToken.length < 16) {
    throw new TypeError('Expected `adminToken` to have at least 16 characters')
  }
  for (const origin of options.origins ?? []) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError(`Expected \`origins\` to hold origins such as https://example.org, got \`${origin}\``)
    }
  }
  if (options.mail !== undefined && options.origins?.[0] === undefined) {
    throw new TypeError('Expected `origins` beside `mail`: it mails links')
  }
  const { signUp = {}, passwords = {}, lockout = {}, clientLimits = {}, sessions = {} } = options
  if (signUp.selfApproval !== undefined) {
    if (options.mail === undefined || options.origins?.[0] === undefined) {
      throw new TypeError('Expected `mail` and `origins` beside `signUp.selfApproval`: it mails links')
    }
    if (signUp.open !== undefined && signUp.open !== false)
      throw new TypeError('Expected only one of `signUp.open` and `signUp.selfApproval`')
  }
  const preset = PRESETS[passwords.preset ?? 'default']
  const now = options.now ?? Date.now
  const random = options.randomBytes ?? randomBytes
  const onError = options.onError ?? report
  const map = new Map(
    Object.entries(options.usernameMap ?? {}).map(([from, to]) => [canonicalUsername(from), canonicalUsername(to)]),
  )
  const nameSet = (names: readonly string[] = []) => new Set(names.map((name) => canonicalUsername(name, map)))
  const lockMs = duration('lockout.seconds', lockout.seconds ?? 900, 86_400 * 365)
  const maxLockMs = Math.max(lockMs, duration('lockout.maxSeconds', lockout.maxSeconds ?? 86_400, 86_400 * 365))
  const rate = (name: string, hits: number, windowMs: number): Limit => ({
    hits: count(name, hits, 0, 1e9),
    windowMs,
    blockMs: 0,
    maxBlockMs: 0,
  })
  const cap = count('sessions.maxPerAccount', sessions.maxPerAccount ?? 100, 0, 1e6)
  return {
    db: options.db as unknown as AuthDb,
    keys: createKeyring(options.secret, random),
    passwords: createPasswords({
      hasher: passwords.hasher ?? argon2Hasher(),
      inFlight: count(
        'passwords.inFlight',
        passwords.inFlight ?? Math.min(MAX_IN_FLIGHT, availableParallelism()),
        1,
        1024,
      ),
      waiting: count('passwords.waiting', passwords.waiting ?? 64, 0, 1e6),
      onError,
      policy: {
        minLength: count('passwords.minLength', passwords.minLength ?? preset.minLength, 1, 128),
        refuseCommon: passwords.refuseCommon ?? preset.refuseCommon,
        refuseSimilar: passwords.refuseSimilar ?? preset.refuseSimilar,
        breachCheck: passwords.breachCheck,
        breachCheckFailure: passwords.breachCheckFailure ?? 'accept',
        refusedWords: options.serviceName === undefined ? [] : [options.serviceName.toLowerCase()],
      },
    }),
    now,
    random,
    names: { pattern: options.usernamePattern, map, refuseMixedScripts: options.refuseMixedScripts ?? false },
    admins: nameSet(options.adminUsers),
    allowed: nameSet(options.allowedUsers),
    blockedNames: nameSet(options.blockedUsers),
    limits: {
      lockout: {
        hits: count('lockout.failures', lockout.failures ?? 10, 0, 1000),
        windowMs: maxLockMs + DAY,
        blockMs: lockMs,
        maxBlockMs: maxLockMs,
      },
      ceiling: count('lockout.ceiling', lockout.ceiling ?? 100, 1, 1e6),
      logins: rate('clientLimits.loginsPerMinute', clientLimits.loginsPerMinute ?? 10, MINUTE),
      signUps: rate('clientLimits.signUpsPerHour', clientLimits.signUpsPerHour ?? 5, 60 * MINUTE),
      resets: rate('clientLimits.resetsPerHour', clientLimits.resetsPerHour ?? 5, 60 * MINUTE),
    },
    idleMs: duration('sessions.idleSeconds', sessions.idleSeconds ?? 604_800, 1e9),
    absoluteMs: duration('sessions.absoluteSeconds', sessions.absoluteSeconds ?? 2_592_000, 1e9),
    sessionsBeside: cap === 0 ? undefined : cap - 1,
    options,
    onError,
    async tell(hook, account, actorId) {
      const event: HookEvent<Profile> = { account, actorId, at: now() }
      try {
        await options.hooks?.[hook]?.(event)
      } catch (error) {
        onError(error)
      }
    },
  }
}
