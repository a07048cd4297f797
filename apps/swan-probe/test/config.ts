import type { Config } from '../src/config/config.ts'
import { parseConfig } from '../src/config/load.ts'

/** Reads a YAML text as the command line would read a file. */
export function configOf(
  text: string,
  options: { base?: string; userPath?: string; env?: NodeJS.ProcessEnv } = {},
): Config {
  return parseConfig('test.yaml', text, {
    base: options.base ?? '/',
    userPath: options.userPath,
    env: options.env ?? {},
  })
}
