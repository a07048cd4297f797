import { HubError, reasonOf } from '../errors.ts'
import { backUp } from './backup.ts'
import { checkConfig } from './check-config.ts'
import { createAdmin } from './create-admin.ts'
import { helpText } from './help.ts'
import { importAccounts } from './import-accounts.ts'
import { serveHub } from './serve.ts'
import { type Command, parseCommand } from './parse.ts'
import { makeToken } from './token.ts'
import { upgradeDatabase } from './upgrade-db.ts'

const commands: Readonly<Record<string, Command>> = {
  serve: serveHub,
  'create-admin': createAdmin,
  'check-config': checkConfig,
  'import-accounts': importAccounts,
  token: makeToken,
  'upgrade-db': upgradeDatabase,
  backup: backUp,
}

/** Runs one command line. @returns the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCommand(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { name, options, rest } = parseCommand(args)
    if (options.help) {
      process.stdout.write(helpText())
      return 0
    }
    const command = commands[name]
    if (command === undefined) throw new HubError('HUB_USAGE', `Unknown command ${name}; see hub --help`)
    return await command({ options, rest, env })
  } catch (error) {
    process.stderr.write(`hub: ${reasonOf(error)}\n`)
    // What nobody foresaw keeps its trace: it is a defect.
    if (!(error instanceof HubError) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
    return error instanceof HubError && error.code === 'HUB_USAGE' ? 2 : 1
  }
}
