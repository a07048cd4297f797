import path from 'node:path'

import { loadConfig } from '../config/load.ts'
import { ProbeError } from '../errors.ts'
import { renderTable } from '../reports/table.ts'
import { exitCodeOf } from '../runner/result.ts'
import { evaluate } from '../watch/health.ts'
import { parseWords } from './args.ts'
import type { Surroundings } from './surroundings.ts'
import { untilInterrupt } from './interrupt.ts'

/**
 * `swan-probe health readiness -c FILE`: runs one health set once, for an `exec` probe of Kubernetes, which counts the
 * thresholds itself.
 */
export async function health(words: readonly string[], around: Surroundings): Promise<number> {
  const { values, positionals } = parseWords(words, { configfile: { type: 'string', short: 'c' } })
  const [name] = positionals
  if (values.configfile === undefined || (name !== 'startup' && name !== 'liveness' && name !== 'readiness')) {
    throw new ProbeError('PROBE_USAGE', 'Expected health startup|liveness|readiness -c FILE')
  }
  const config = loadConfig(path.resolve(around.cwd, values.configfile), {
    base: around.cwd,
    userPath: undefined,
    env: around.env,
  })
  const set = config.health[name]
  if (set === undefined) throw new ProbeError('PROBE_USAGE', `The file has no health set \`${name}\``)
  using interrupt = untilInterrupt()
  const report = await evaluate(set, config.entries, { signal: interrupt.signal })
  process.stdout.write(renderTable(report, { colour: process.stdout.isTTY }))
  return exitCodeOf(report)
}
