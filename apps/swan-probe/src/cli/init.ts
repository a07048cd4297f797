import { writeFileSync } from 'node:fs'
import path from 'node:path'

import { messageOf, ProbeError } from '../errors.ts'
import { starterFile } from './starter.ts'
import type { Surroundings } from './surroundings.ts'

/** `swan-probe init [FILE]`: writes a commented file; never over one that is there. */
export function init(words: readonly string[], around: Surroundings): Promise<number> {
  if (words.length > 1) throw new ProbeError('PROBE_USAGE', 'Expected init [FILE]')
  const file = words[0] ?? 'swan-probe.yaml'
  try {
    // Owner only: a token will be written into it sooner or later.
    writeFileSync(path.resolve(around.cwd, file), starterFile(), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    throw new ProbeError('PROBE_USAGE', `Cannot write \`${file}\`: ${messageOf(error)}`, { cause: error })
  }
  process.stdout.write(`${file} is written; try: swan-probe validate ${file}\n`)
  return Promise.resolve(0)
}
