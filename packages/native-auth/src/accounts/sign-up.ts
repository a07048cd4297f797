import { type Core } from '../core.ts'
import { invalid, type Issue, NativeAuthError } from '../errors.ts'
import { storeAccount } from '../store/accounts.ts'
import type { AccountRow, NewAccountRow } from '../store/tables.ts'
import { sameText } from '../internal/secrets.ts'
import { type Account, toAccount } from './account.ts'
import { checkConfirmation } from './change-password.ts'
import { parseEmail } from './email.ts'
import { parseUsername } from './username.ts'

/** What somebody gives to get an account. */
export interface NewAccount {
  readonly username: string
  readonly password: string
  /** The password once more; checked when it is given. */
  readonly confirmation?: string | undefined
  readonly email?: string | undefined
  /** Fields for the profile schema; those it does not know are not stored. */
  readonly profile?: unknown
  readonly acceptTerms?: boolean | undefined
  /** Claims a name of `adminUsers`. */
  readonly adminToken?: string | undefined
  /** Answer for `signUp.captcha`. */
  readonly captcha?: string | undefined
}

/** Rights that a trusted caller gives along; never taken from a request. */
export interface Grant {
  readonly isAuthorised: boolean
  readonly isAdmin: boolean
  readonly actorId?: number | undefined
}

/**
 * Checks everything about a new account and stores it, or stores nothing.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT`, `NATIVE_AUTH_USERNAME_TAKEN`,
 *   `NATIVE_AUTH_NAME_RESERVED`, `NATIVE_AUTH_BREACH_CHECK_FAILED`, `NATIVE_AUTH_BUSY`.
 */
export async function createAccount<Profile>(
  core: Core<Profile>,
  input: NewAccount,
  ip: string | undefined,
  grant?: Grant,
): Promise<Account<Profile>> {
  if (grant === undefined) await checkCaptcha(core, input.captcha, ip)
  const username = parseUsername(input.username, core.names)
  if (await isTaken(core, username)) throw taken()
  checkConfirmation(input.password, input.confirmation, 'password_confirmation')
  const email = readEmail(core, input, grant === undefined)
  await core.passwords.check(input.password, { username, email })
  const profile = await readProfile(core, input.profile)
  const terms = core.options.signUp?.termsHtml
  if (grant === undefined && terms !== undefined && input.acceptTerms !== true) {
    throw invalid('terms', 'terms_required', 'Accept the terms to continue')
  }
  const rights = grant ?? (await claim(core, username, input.adminToken))
  const password_hash = await core.passwords.hash(input.password)
  const now = core.now()
  const account: NewAccountRow = {
    username,
    display_name: input.username.normalize('NFC'),
    password_hash,
    email: email ?? null,
    profile: JSON.stringify(profile),
    is_authorised: rights.isAuthorised ? 1 : 0,
    is_admin: rights.isAdmin ? 1 : 0,
    is_blocked: 0,
    terms_accepted_at: input.acceptTerms === true && terms !== undefined ? now : null,
    has_totp: 0,
    created_at: now,
    authorised_at: rights.isAuthorised ? now : null,
    password_changed_at: now,
  }
  const row = await storeAccount(core.db, account, {
    at: now,
    action: 'signed-up',
    actorId: grant?.actorId,
    username,
    ip,
  })
  if (row === undefined) throw taken()
  const made = toAccount<Profile>(row, now)
  await core.tell('signedUp', made, grant?.actorId)
  if (made.isAuthorised) await core.tell('authorised', made, grant?.actorId)
  return made
}

const taken = () => new NativeAuthError('NATIVE_AUTH_USERNAME_TAKEN', 'This username is taken')

/** Asked before anything costly; the index has the last word. */
async function isTaken<Profile>(core: Core<Profile>, username: string): Promise<boolean> {
  const row: Pick<AccountRow, 'id'> | undefined = await core.db
    .selectFrom('native_auth_accounts')
    .select('id')
    .where('username', '=', username)
    .executeTakeFirst()
  return row !== undefined
}

function readEmail<Profile>(core: Core<Profile>, input: NewAccount, isOwner: boolean): string | undefined {
  const { signUp } = core.options
  const asked = signUp?.askEmail === true || signUp?.selfApproval !== undefined
  if (input.email === undefined || input.email.trim() === '') {
    if (asked && isOwner) throw invalid('email', 'missing', 'Give an e-mail address')
    return undefined
  }
  return asked || !isOwner ? parseEmail(input.email) : undefined
}

/** What the listed names get. Who claims an administrator's name proves it, or anybody could be first. */
async function claim<Profile>(core: Core<Profile>, username: string, token: string | undefined): Promise<Grant> {
  const { adminToken, passwords, signUp } = core.options
  if (core.blockedNames.has(username)) throw reserved()
  if (core.admins.has(username)) {
    const proven = adminToken !== undefined && token !== undefined && sameText(adminToken, token)
    if (!proven && passwords?.preset !== 'compat') throw reserved()
    return { isAuthorised: true, isAdmin: true }
  }
  const open = typeof signUp?.open === 'function' ? await signUp.open(username) : signUp?.open === true
  return { isAuthorised: open || core.allowed.has(username), isAdmin: false }
}

const reserved = () => new NativeAuthError('NATIVE_AUTH_NAME_RESERVED', 'This username is reserved')

async function readProfile<Profile>(core: Core<Profile>, value: unknown): Promise<Profile | Record<string, never>> {
  const schema = core.options.profile
  if (schema === undefined) return {}
  const result = await schema['~standard'].validate(value ?? {})
  if (result.issues === undefined) return result.value
  const issues = result.issues.map((issue): Issue => {
    const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part))
    const missing = path[0] !== undefined && !(isRecord(value) && path[0] in value)
    return { loc: ['body', ...path.map(String)], type: missing ? 'missing' : 'profile', msg: issue.message }
  })
  throw new NativeAuthError('NATIVE_AUTH_INVALID_INPUT', issues[0]?.msg ?? 'The profile is not valid', { issues })
}

const isRecord = (value: unknown): value is Record<PropertyKey, unknown> => typeof value === 'object' && value !== null

async function checkCaptcha<Profile>(
  core: Core<Profile>,
  answer: string | undefined,
  ip: string | undefined,
): Promise<void> {
  const captcha = core.options.signUp?.captcha
  if (captcha === undefined) return
  if (answer === undefined || answer === '') throw invalid('captcha', 'missing', 'Solve the captcha')
  if (await captcha(answer, { ip })) return
  throw new NativeAuthError('NATIVE_AUTH_CAPTCHA_FAILED', 'The captcha was not solved; try again')
}
