import { readFileSync } from 'node:fs'

import { loadConfig } from '../config/config.ts'
import { HubError, reasonOf } from '../errors.ts'
import { createLog } from '../log.ts'
import { createNativeAccounts } from '../native-accounts.ts'
import { openHubDatabase } from '../open-hub-database.ts'
import { Forms } from '../pages/forms.ts'
import { createUsers, findUser, updateUser } from '../store/users.ts'
import { keptSecret, privateFolder } from '../system/private-files.ts'
import type { CommandInput } from './parse.ts'

/** Makes an administrator, or gives an existing account a new password and the rights. */
export async function createAdmin({ options, rest, env }: CommandInput): Promise<number> {
  const [name] = rest
  if (name === undefined || rest.length > 1) {
    throw new HubError('HUB_USAGE', 'Expected one name: hub create-admin NAME --password-file FILE')
  }
  const password = readPassword(options.passwordFile, env)
  const config = loadConfig({ file: options.config, env })
  privateFolder(config.data_dir)
  await using open = await openHubDatabase(config, new Date())
  const secret = keptSecret(config.data_dir, 'cookie-secret')
  const log = createLog('warn', (line) => process.stderr.write(line))
  const accounts = await createNativeAccounts({ db: open.db, config, secret, forms: new Forms(secret), log })
  const username = await accounts.createAdmin(name, password)
  const user = await findUser(open.db, username)
  if (user === undefined) await createUsers(open.db, [username], true, new Date())
  else await updateUser(open.db, user, { admin: true })
  process.stdout.write(`${username} is an administrator\n`)
  return 0
}

/** From a file or a variable: an argument would stand in the process list. */
function readPassword(file: string | undefined, env: NodeJS.ProcessEnv): string {
  const given = env['HUB_ADMIN_PASSWORD']
  if (file === undefined) {
    if (given !== undefined && given !== '') return given
    throw new HubError('HUB_USAGE', 'Expected --password-file FILE (- for standard input) or HUB_ADMIN_PASSWORD')
  }
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new HubError('HUB_USAGE', `The password cannot be read: ${reasonOf(error)}`, { cause: error })
  }
}
