import { parseArgs } from 'node:util'

import { HubError, reasonOf } from '../errors.ts'

/** What a command gets. */
export interface CommandInput {
  readonly options: Options
  /** Words behind the command's name. */
  readonly rest: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** A command; answers with the exit code. */
export type Command = (input: CommandInput) => Promise<number> | number

const definitions = {
  config: { type: 'string', short: 'f' },
  help: { type: 'boolean', short: 'h' },
  'password-file': { type: 'string' },
  scope: { type: 'string', multiple: true },
  note: { type: 'string' },
  'expires-in': { type: 'string' },
  output: { type: 'string', short: 'o' },
} as const

/** The options of all commands. */
export interface Options {
  readonly config: string | undefined
  readonly help: boolean
  readonly passwordFile: string | undefined
  readonly scopes: readonly string[]
  readonly note: string | undefined
  readonly expiresIn: string | undefined
  readonly output: string | undefined
}

/** Reads a command line; without a command it is `serve`. */
export function parseCommand(args: readonly string[]): { name: string; options: Options; rest: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: definitions, allowPositionals: true })
    const [name = 'serve', ...rest] = positionals
    return {
      name,
      rest,
      options: {
        config: values.config,
        help: values.help === true,
        passwordFile: values['password-file'],
        scopes: values.scope ?? [],
        note: values.note,
        expiresIn: values['expires-in'],
        output: values.output,
      },
    }
  } catch (error) {
    throw new HubError('HUB_USAGE', `${reasonOf(error)}; see hub --help`, { cause: error })
  }
}
