import type { Core } from '../../core.ts'
import { NativeAuthError } from '../../errors.ts'
import { isBearable, readCost } from '../../passwords/hasher.ts'
import { isBcrypt } from '../../passwords/legacy.ts'
import { fromBase32 } from '../../second-factor/totp.ts'
import { writeAudit } from '../../store/audit.ts'
import { parseEmail } from '../email.ts'
import { canonicalUsername, parseUsername } from '../username.ts'
import type { ImportEntry, ImportProblem, ImportReport, UnreadableEntry } from './entry.ts'

/** Accounts of another program, one after the other. */
export type ImportSource = AsyncIterable<ImportEntry | UnreadableEntry> | Iterable<ImportEntry | UnreadableEntry>

/**
 * Stores the accounts of another program with the hashes they had; each is hashed anew at its next login.
 *
 * An account is stored whole or not at all, and one that is here is left alone, so an interrupted import is run again.
 */
export async function importAccounts<Profile>(
  core: Core<Profile>,
  source: ImportSource,
  admins: readonly string[],
): Promise<ImportReport> {
  const adminNames = new Set(admins.map((name) => canonicalUsername(name, core.names.map)))
  const problems: ImportProblem[] = []
  const lines = new Map<string, number>()
  let [imported, present] = [0, 0]
  for await (const entry of source) {
    const problem = 'problem' in entry ? entry.problem : findProblem(core, entry)
    if (problem !== undefined || 'problem' in entry) {
      problems.push({ line: entry.line, reason: problem ?? '', outcome: 'skipped' })
      continue
    }
    const username = parseUsername(entry.username, { ...core.names, pattern: undefined })
    const twin = lines.get(username)
    if (twin !== undefined) {
      problems.push({ line: entry.line, reason: `The same name as line ${twin}`, outcome: 'skipped' })
      continue
    }
    lines.set(username, entry.line)
    const email = readEmail(entry)
    if (email === undefined && (entry.email ?? '') !== '') {
      problems.push({ line: entry.line, reason: 'The e-mail address is not valid', outcome: 'without-email' })
    }
    if (await store(core, entry, username, email, adminNames.has(username))) imported += 1
    else present += 1
  }
  return { imported, present, problems }
}

/** What keeps an entry out; nothing is repaired by guessing. */
function findProblem<Profile>(core: Core<Profile>, entry: ImportEntry): string | undefined {
  try {
    parseUsername(entry.username, { ...core.names, pattern: undefined })
  } catch (error) {
    if (error instanceof NativeAuthError) return error.message
    throw error
  }
  const cost = readCost(entry.hash)
  if (!isBcrypt(entry.hash) && cost === undefined) return 'The password hash is neither bcrypt nor argon2id'
  if (cost !== undefined && !isBearable(cost)) return 'The password hash asks for more than a login may cost'
  if (entry.totpSecret === undefined) return undefined
  const isBase32 = /^[A-Z2-7]+=*$/i.test(entry.totpSecret) && fromBase32(entry.totpSecret).length >= 10
  return isBase32 ? undefined : 'The secret of the second factor is not base32 of 80 bits or more'
}

function readEmail(entry: ImportEntry): string | undefined {
  if (entry.email === undefined || entry.email.trim() === '') return undefined
  try {
    return parseEmail(entry.email)
  } catch {
    return undefined
  }
}

async function store<Profile>(
  core: Core<Profile>,
  entry: ImportEntry,
  username: string,
  email: string | undefined,
  isAdmin: boolean,
): Promise<boolean> {
  const now = core.now()
  return core.db.transaction().execute(async (tx) => {
    const row = await tx
      .insertInto('native_auth_accounts')
      .values({
        username,
        display_name: entry.username.normalize('NFC'),
        password_hash: entry.hash,
        email: email ?? null,
        profile: '{}',
        is_authorised: entry.isAuthorised || isAdmin ? 1 : 0,
        is_admin: isAdmin ? 1 : 0,
        is_blocked: 0,
        blocked_reason: null,
        blocked_until: null,
        terms_accepted_at: null,
        totp_secret: null,
        has_totp: 0,
        created_at: now,
        authorised_at: entry.isAuthorised || isAdmin ? now : null,
        last_login_at: null,
        password_changed_at: now,
      })
      .onConflict((conflict) => conflict.column('username').doNothing())
      .returning('id')
      .executeTakeFirst()
    if (row === undefined) return false
    if (entry.totpSecret !== undefined) {
      const totp_secret = core.keys.seal(`totp ${row.id}`, entry.totpSecret.toUpperCase())
      await tx.updateTable('native_auth_accounts').set({ totp_secret, has_totp: 1 }).where('id', '=', row.id).execute()
    }
    await writeAudit(tx, { at: now, action: 'imported', accountId: row.id, username, details: { line: entry.line } })
    return true
  })
}
