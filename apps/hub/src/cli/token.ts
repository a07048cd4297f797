import { loadConfig } from '../config/config.ts'
import { HubError, RequestError } from '../errors.ts'
import { openHubDatabase } from '../open-hub-database.ts'
import { isScope } from '../permissions/definitions.ts'
import { issueToken } from '../rest/tokens.ts'
import { generateToken } from '../store/tokens.ts'
import { findUser } from '../store/users.ts'
import type { CommandInput } from './parse.ts'

/** Makes a token for a user, or without a name one for a service of the configuration, and prints it. */
export async function makeToken({ options, rest, env }: CommandInput): Promise<number> {
  const [name] = rest
  if (rest.length > 1) throw new HubError('HUB_USAGE', 'Expected at most one name: hub token [NAME]')
  if (name === undefined) {
    process.stdout.write(`${generateToken()}\n`)
    return 0
  }
  const seconds = options.expiresIn === undefined ? undefined : Number(options.expiresIn)
  if (seconds !== undefined && !(seconds > 0 && seconds < 1e10)) {
    throw new HubError('HUB_USAGE', 'Expected --expires-in to be a number of seconds above 0')
  }
  const unknown = options.scopes.filter((scope) => !isScope(scope))
  if (unknown.length > 0) throw new HubError('HUB_USAGE', `Unknown scope ${unknown.join(', ')}`)
  const config = loadConfig({ file: options.config, env })
  const now = () => new Date()
  await using open = await openHubDatabase(config, now())
  const user = await findUser(open.db, name)
  if (user === undefined) throw new HubError('HUB_USAGE', `There is no user ${name}`)
  try {
    const { token } = await issueToken({ db: open.db, now }, user, {
      note: options.note ?? 'Requested on the command line',
      scopes: options.scopes.length === 0 ? ['inherit'] : options.scopes,
      expiresAt: seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000),
    })
    process.stdout.write(`${token}\n`)
    return 0
  } catch (error) {
    if (error instanceof RequestError) throw new HubError('HUB_USAGE', error.message, { cause: error })
    throw error
  }
}
