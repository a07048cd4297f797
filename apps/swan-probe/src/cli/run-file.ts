import path from 'node:path'

import type { Config, Entry } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { nearest } from '../config/nearest.ts'
import { ProbeError } from '../errors.ts'
import { HelperPool } from '../isolation/pool.ts'
import { findProbe, groupSpellings } from '../probes/registry.ts'
import { parseWords } from './args.ts'
import type { Surroundings } from './surroundings.ts'
import { parseFormats } from './formats.ts'
import { present } from './present.ts'

const options = {
  configfile: { type: 'string', short: 'c' },
  test: { type: 'string', short: 't', multiple: true },
  user_mode: { type: 'boolean', short: 'u' },
  session: { type: 'string', short: 's' },
  path: { type: 'string', short: 'p' },
  format: { type: 'string', short: 'f', multiple: true },
  deadline: { type: 'string' },
} as const

/** `swan-probe -c FILE`: the original's own command line, and what was added to it. */
export async function runFile(words: readonly string[], around: Surroundings): Promise<number> {
  const { values, positionals } = parseWords(words, options, ['-t', '--test'])
  if (positionals.length > 0) throw new ProbeError('PROBE_USAGE', `Unexpected word \`${positionals[0]}\``)
  if (values.configfile === undefined) throw new ProbeError('PROBE_USAGE', 'Expected -c FILE')
  if (values.user_mode === true && values.session === undefined) {
    throw new ProbeError('PROBE_USAGE', '-u needs -s NAME, the session whose container jupyter-NAME is meant')
  }
  if (values.session !== undefined && values.user_mode !== true) {
    throw new ProbeError('PROBE_USAGE', '-s NAME goes with -u')
  }
  const deadline = readSeconds('--deadline', values.deadline)
  const formats = parseFormats(values.format ?? [], process.stdout.isTTY)
  await using pool = new HelperPool()
  // Its start takes longer than reading the file, so the two go on at once.
  if (values.user_mode !== true) void pool.warm()
  const config = loadConfig(path.resolve(around.cwd, values.configfile), {
    base: values.user_mode === true ? undefined : around.cwd,
    userPath: values.path === undefined ? undefined : path.resolve(around.cwd, values.path),
    env: around.env,
  })
  const entries = selectEntries(config, values.test ?? [])
  return await present(entries, {
    pool,
    formats,
    output: config.output,
    deadlineSeconds: deadline,
    session: values.user_mode === true ? values.session : undefined,
  })
}

/** Reads a duration flag. */
function readSeconds(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && value > 0 && value <= 86_400) return value
  throw new ProbeError('PROBE_USAGE', `Expected ${flag} to be seconds above 0, at most 86400, got \`${text}\``)
}

/**
 * Picks the groups and probes that `-t` names; all without it.
 *
 * @throws {@link ProbeError} `PROBE_USAGE` for a name that is no group and no probe, or that the file does not have:
 * a run of nothing must not look like a pass.
 */
function selectEntries(config: Config, tests: readonly string[]): readonly Entry[] {
  const chosen = new Set<Entry>()
  for (const test of tests) {
    const [head = '', name] = test.split('.', 2)
    const group = groupSpellings[head]
    const probe = group === undefined || name === undefined ? undefined : findProbe(group, name)
    if (group === undefined || (name !== undefined && probe === undefined)) {
      const known = [...new Set([...Object.values(groupSpellings), ...config.entries.map((entry) => entry.probe.id)])]
      throw new ProbeError('PROBE_USAGE', `Unknown group or probe \`${test}\`${nearest(test, known)}`)
    }
    const found = config.entries.filter(
      (entry) => entry.probe.group === group && (probe === undefined || entry.probe.id === probe.id),
    )
    if (found.length === 0) throw new ProbeError('PROBE_USAGE', `The file has no probe of \`${test}\``)
    for (const entry of found) chosen.add(entry)
  }
  const entries = tests.length === 0 ? config.entries : config.entries.filter((entry) => chosen.has(entry))
  if (entries.length === 0) throw new ProbeError('PROBE_CONFIG', 'The file names no probe, so there is nothing to run')
  return entries
}
