import { createNativeAuth } from '@org/native-auth'

import { loadConfig } from '../config/config.ts'
import { openConfigured } from '../open-hub-database.ts'
import { ensureSchema } from '../store/schema.ts'
import { keptSecret, privateFolder } from '../system/private-files.ts'
import type { CommandInput } from './parse.ts'

/** Brings a database to this version's schema, as a start does; also one that JupyterHub 3.0 made. */
export async function upgradeDatabase({ options, env }: CommandInput): Promise<number> {
  const config = loadConfig({ file: options.config, env })
  privateFolder(config.data_dir)
  await using open = await openConfigured(config)
  const how = await ensureSchema(open.db, open.kind)
  await createNativeAuth({ db: open.db, secret: keptSecret(config.data_dir, 'cookie-secret') }).migrate()
  process.stdout.write(how === 'created' ? 'The database was laid out\n' : 'The database is up to date\n')
  return 0
}
