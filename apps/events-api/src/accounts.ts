import { createNativeAuth, type NativeAuth, profileFields } from '@org/native-auth'
import { sql } from 'kysely'

import type { Actor, Database } from './resources/resource.ts'

/** What somebody tells of themselves when signing up. */
interface Profile {
  readonly fullname: string
}

export type Accounts = NativeAuth<Profile>

/** Options of {@link createAccounts}. */
export interface AccountOptions {
  readonly db: Database
  /** At least 32 characters. */
  readonly secret: string
  /** Origins that browsers see. Empty: that of each request. */
  readonly origins: readonly string[]
  /** Served over plain http, as on a developer's machine. */
  readonly insecureCookies: boolean
  readonly limits: { readonly loginsPerMinute: number; readonly signUpsPerHour: number }
  readonly onError: (error: unknown) => void
}

/** Accounts by native-auth, at the root: `/users/register`, `/login`, `/logout`, `/me`. */
export function createAccounts(options: AccountOptions): Accounts {
  const { db, secret, origins, limits } = options
  return createNativeAuth<never, Profile>({
    db: db.withoutPlugins() as never,
    secret,
    basePath: '',
    origins,
    home: '/docs',
    allowInsecureCookies: options.insecureCookies,
    serviceName: 'Events',
    signUp: { open: true },
    clientLimits: limits,
    profile: profileFields({ fullname: { label: 'Full name', required: true, maxLength: 255, autocomplete: 'name' } }),
    hooks: { signedUp: ({ account }) => writeUser(db, account) },
    onError: options.onError,
  })
}

/**
 * Finds the person behind a request.
 *
 * @returns `undefined` without a live session, and for a user who is in the trash.
 */
export async function findActor(accounts: Accounts, db: Database, request: Request): Promise<Actor | undefined> {
  const session = await accounts.sessions.fromRequest(request)
  if (session === undefined) return undefined
  const { account } = session
  let user = await userOf(db, account.id)
  if (user === undefined) {
    // The hook that writes the row runs after the account is stored; a crash between the two is repaired here.
    await writeUser(db, account)
    user = await userOf(db, account.id)
  }
  if (user === undefined || user['deleted_at'] !== null) return undefined
  return {
    id: account.id,
    username: account.username,
    admin: account.isAdmin,
    organises: new Set(user['organises'] as readonly number[]),
  }
}

type AccountFacts = Pick<Awaited<ReturnType<Accounts['signUp']>>, 'id' | 'username' | 'isAdmin' | 'profile'>

/** Writes the public side of an account. Safe to repeat; keeps what its owner changed. */
export async function writeUser(db: Database, account: AccountFacts): Promise<void> {
  const { id, username, isAdmin, profile } = account
  await db
    .withoutPlugins()
    .insertInto('users')
    .values({ id, username, fullname: profile.fullname, is_admin: isAdmin })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ is_admin: isAdmin }))
    .execute()
}

/** One statement an authenticated request: is the user live, and which events are theirs. */
async function userOf(db: Database, id: number) {
  return db
    .withoutPlugins()
    .selectFrom('users')
    .select([
      'deleted_at',
      sql<readonly number[]>`array(select event_id from event_roles where user_id = users.id)`.as('organises'),
    ])
    .where('id', '=', id)
    .executeTakeFirst()
}
