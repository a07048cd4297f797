import { loadConfig } from '../config/config.ts'
import type { CommandInput } from './parse.ts'

/** Reads and checks the configuration; complaints name file and line. */
export function checkConfig({ options, env }: CommandInput): number {
  const { warnings } = loadConfig({ file: options.config, env })
  for (const warning of warnings) process.stdout.write(`warning: ${warning}\n`)
  process.stdout.write(`${options.config ?? 'The environment'} is fine\n`)
  return 0
}
