import BetterSqlite from 'better-sqlite3'
import { Kysely } from 'kysely'

import { loadConfig } from '../config/config.ts'
import { HubError, reasonOf } from '../errors.ts'
import { createLog } from '../log.ts'
import { createNativeAccounts } from '../native-accounts.ts'
import { databaseFile, openHubDatabase } from '../open-hub-database.ts'
import { Forms } from '../pages/forms.ts'
import { sqliteDialect } from '../store/sqlite-dialect.ts'
import { keptSecret } from '../system/private-files.ts'
import type { CommandInput } from './parse.ts'

/** Takes over the accounts that NativeAuthenticator kept; the hub's admins stay admins. */
export async function importAccounts({ options, rest, env }: CommandInput): Promise<number> {
  if (rest.length > 1) throw new HubError('HUB_USAGE', 'Expected at most one file: hub import-accounts [FILE]')
  const config = loadConfig({ file: options.config, env })
  await using open = await openHubDatabase(config, new Date())
  const secret = keptSecret(config.data_dir, 'cookie-secret')
  const log = createLog('warn', (line) => process.stderr.write(line))
  const accounts = await createNativeAccounts({ db: open.db, config, secret, forms: new Forms(secret), log })
  const admins = await open.db.selectFrom('users').select('name').where('admin', '=', true).execute()
  const source = openSource(rest[0] ?? databaseFile(config))
  try {
    const { imported, present, problems } = await accounts.importFrom(
      source,
      admins.map(({ name }) => name),
    )
    for (const problem of problems) process.stderr.write(`hub: ${problem}\n`)
    process.stdout.write(`${imported} imported, ${present} here already, ${problems.length} with problems\n`)
    return problems.length === 0 ? 0 : 1
  } finally {
    await source.destroy()
  }
}

function openSource(file: string): Kysely<unknown> {
  try {
    const database = new BetterSqlite(file, { readonly: true, fileMustExist: true })
    return new Kysely<unknown>({ dialect: sqliteDialect(database).dialect })
  } catch (error) {
    throw new HubError('HUB_USAGE', `${file} cannot be opened: ${reasonOf(error)}`, { cause: error })
  }
}
