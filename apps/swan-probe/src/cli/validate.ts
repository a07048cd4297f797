import path from 'node:path'

import { loadConfig } from '../config/load.ts'
import { ProbeError } from '../errors.ts'
import { planRun } from '../runner/plan.ts'
import { parseWords } from './args.ts'
import type { Surroundings } from './surroundings.ts'

/** `swan-probe validate FILE`: checks a file and shows what a run would do, in which order. */
export function validate(words: readonly string[], around: Surroundings): Promise<number> {
  const { values, positionals } = parseWords(words, {
    configfile: { type: 'string', short: 'c' },
    path: { type: 'string', short: 'p' },
  })
  const file = values.configfile ?? positionals[0]
  if (file === undefined || positionals.length > 1) throw new ProbeError('PROBE_USAGE', 'Expected validate FILE')
  const config = loadConfig(path.resolve(around.cwd, file), {
    base: around.cwd,
    userPath: values.path === undefined ? undefined : path.resolve(around.cwd, values.path),
    env: around.env,
  })
  for (const node of planRun(config.entries)) {
    const waits = node.after.length === 0 ? '' : `, after ${node.after.join(', ')}`
    process.stdout.write(`${node.id}: at most ${Number(node.entry.timeoutSeconds.toFixed(1))} s${waits}\n`)
  }
  process.stdout.write(`${file} is valid: ${config.entries.length} probes\n`)
  return Promise.resolve(0)
}
