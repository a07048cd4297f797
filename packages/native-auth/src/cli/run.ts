import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

import type { Kysely } from 'kysely'

import type { ImportReport } from '../accounts/import/entry.ts'
import { readFirstUse } from '../accounts/import/first-use.ts'
import { readNativeAuthenticator } from '../accounts/import/native-authenticator.ts'
import { NativeAuthError } from '../errors.ts'
import { createNativeAuth } from '../native-auth.ts'
import type { NativeAuth } from '../native-auth-types.ts'
import { migrate } from '../store/migrations.ts'
import { openDatabase } from './database.ts'

/** What a run touches besides the database. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  out(line: string): void
  err(line: string): void
  /** Reads a password without showing it. */
  readPassword(prompt: string): Promise<string>
}

const USAGE = `native-auth: looks after the accounts of a service

  native-auth migrate                             bring the tables up to date
  native-auth create-admin NAME                   make an administrator; asks for the password, or reads it from stdin
  native-auth import native-authenticator SOURCE  take over accounts of NativeAuthenticator (SQLite file or Postgres URL)
  native-auth import first-use FILE.json          take over accounts of FirstUseAuthenticator
  native-auth unlock NAME                         forget failed logins
  native-auth list [--state STATE] [--json]       list accounts; STATE is pending, authorised, blocked or admin

  --database URL   Postgres URL or SQLite file; else DATABASE_URL
  --admin NAME     with import: this account becomes an administrator; may be repeated
  --help

The secret of the service is read from NATIVE_AUTH_SECRET, for create-admin, import and unlock.
`

/** The command was called wrongly. */
class UsageError extends Error {}

const STATES = ['pending', 'authorised', 'blocked', 'admin'] as const

/**
 * Runs the command line.
 *
 * @returns the exit code: 0 done, 1 failed or import with skipped lines, 2 called wrongly.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const { values, positionals } = readArguments(args)
    if (values.help === true || positionals.length === 0) {
      terminal.out(USAGE)
      return values.help === true ? 0 : 2
    }
    const url = values.database ?? terminal.env['DATABASE_URL']
    if (url === undefined) throw new UsageError('Give --database, or set DATABASE_URL')
    const db = await openDatabase(url)
    try {
      return await runCommand(db, positionals, values, terminal)
    } finally {
      await db.destroy()
    }
  } catch (error) {
    terminal.err(`native-auth: ${explain(error)}`)
    return error instanceof UsageError ? 2 : 1
  }
}

interface Flags {
  readonly database?: string | undefined
  readonly state?: string | undefined
  readonly json?: boolean | undefined
  readonly help?: boolean | undefined
  readonly admin?: string[] | undefined
}

function readArguments(args: readonly string[]): { values: Flags; positionals: string[] } {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        database: { type: 'string' },
        state: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        admin: { type: 'string', multiple: true },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The arguments are not valid')
  }
}

async function runCommand(
  db: Kysely<unknown>,
  [command, ...rest]: readonly string[],
  flags: Flags,
  terminal: Terminal,
): Promise<number> {
  const argument = (index: number, name: string) => {
    const value = rest[index]
    if (value === undefined) throw new UsageError(`${command} needs ${name}; see native-auth --help`)
    return value
  }
  switch (command) {
    case 'migrate':
      await migrate(db)
      terminal.out('The tables are up to date.')
      return 0
    case 'create-admin': {
      const username = argument(0, 'a NAME')
      const auth = open(db, terminal)
      const password = await terminal.readPassword('Password: ')
      const account = await auth.accounts.create({ username, password, isAdmin: true })
      terminal.out(`${account.username} is an administrator.`)
      return 0
    }
    case 'import':
      return importFrom(open(db, terminal), argument(0, 'a kind'), argument(1, 'a SOURCE'), flags.admin ?? [], terminal)
    case 'unlock': {
      const name = argument(0, 'a NAME')
      await open(db, terminal).unlock(name)
      terminal.out(`${name} may try again.`)
      return 0
    }
    case 'list':
      return list(db, flags, terminal)
    default:
      throw new UsageError(`There is no command ${command ?? ''}; see native-auth --help`)
  }
}

function open(db: Kysely<unknown>, { env }: Terminal): NativeAuth<Record<string, never>> {
  const secret = env['NATIVE_AUTH_SECRET']
  if (secret === undefined) throw new UsageError('Set NATIVE_AUTH_SECRET to the secret of the service')
  return createNativeAuth({ db, secret })
}

async function importFrom(
  auth: NativeAuth<Record<string, never>>,
  kind: string,
  source: string,
  admins: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let report: ImportReport
  if (kind === 'first-use') {
    report = await auth.importAccounts(readFirstUse(await readFile(source, 'utf8')), { admins })
  } else if (kind === 'native-authenticator') {
    const from = await openDatabase(source, { mustExist: true })
    try {
      report = await auth.importAccounts(readNativeAuthenticator(from), { admins })
    } finally {
      await from.destroy()
    }
  } else {
    throw new UsageError(`Expected native-authenticator or first-use, got ${kind}`)
  }
  for (const { line, reason, outcome } of report.problems) terminal.err(`line ${line}: ${reason} (${outcome})`)
  const skipped = report.problems.filter(({ outcome }) => outcome === 'skipped').length
  terminal.out(`${report.imported} imported, ${report.present} here already, ${skipped} skipped`)
  return skipped === 0 ? 0 : 1
}

async function list(db: Kysely<unknown>, flags: Flags, terminal: Terminal): Promise<number> {
  const state = STATES.find((known) => known === flags.state)
  if (flags.state !== undefined && state === undefined) throw new UsageError(`--state is one of ${STATES.join(', ')}`)
  // Listing reads no secret column; any secret will do.
  const { accounts } = createNativeAuth({ db, secret: 'listing signs and opens nothing at all' })
  for (let offset = 0; ; offset += 200) {
    const page = await accounts.list({ state, offset, limit: 200 })
    for (const account of page.accounts) {
      const { id, username, email, isAdmin, isAuthorised, isBlocked, hasSecondFactor } = account
      const seen = { id, username, email, isAdmin, isAuthorised, isBlocked, hasSecondFactor }
      const words = [isAuthorised ? 'authorised' : 'pending', isAdmin && 'admin', isBlocked && 'blocked']
      terminal.out(flags.json === true ? JSON.stringify(seen) : `${username}\t${words.filter(Boolean).join(' ')}`)
    }
    if (page.accounts.length < 200) return 0
  }
}

/** A sentence for people; a driver's message may quote an address with its password. */
function explain(error: unknown): string {
  if (error instanceof NativeAuthError || error instanceof UsageError) return error.message
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT' || code === 'SQLITE_CANTOPEN') return 'The file cannot be opened'
  return `The database does not do what was asked (${code === '' ? 'unknown error' : code}); was migrate run?`
}
