import { chmodSync, existsSync, renameSync } from 'node:fs'

import BetterSqlite from 'better-sqlite3'

import { loadConfig } from '../config/config.ts'
import { HubError } from '../errors.ts'
import { databaseFile } from '../open-hub-database.ts'
import type { CommandInput } from './parse.ts'

/** Copies the SQLite database while the hub runs, and proves the copy before it gets its name. */
export async function backUp({ options, env }: CommandInput): Promise<number> {
  const { output } = options
  if (output === undefined) throw new HubError('HUB_USAGE', 'Expected --output FILE')
  if (existsSync(output)) throw new HubError('HUB_USAGE', `${output} exists; a backup does not overwrite`)
  const config = loadConfig({ file: options.config, env })
  if (config.database_url !== undefined) {
    throw new HubError('HUB_USAGE', 'The database is Postgres: use pg_dump')
  }
  const draft = `${output}.part`
  const source = new BetterSqlite(databaseFile(config), { readonly: true, fileMustExist: true })
  await source.backup(draft)
  source.close()
  chmodSync(draft, 0o600)
  const copy = new BetterSqlite(draft)
  // One file: a copy that needs its -wal beside it is easily torn apart.
  copy.pragma('journal_mode = DELETE')
  const verdict = copy.pragma('integrity_check', { simple: true })
  copy.close()
  if (verdict !== 'ok')
    throw new HubError('HUB_DATABASE', `The copy is damaged, and so is the database: ${String(verdict)}`)
  renameSync(draft, output)
  process.stdout.write(`The database was copied to ${output}\n`)
  return 0
}
