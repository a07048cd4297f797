import { readEntry } from '../config/entry.ts'
import { nearest } from '../config/nearest.ts'
import { ProbeError } from '../errors.ts'
import { HelperPool } from '../isolation/pool.ts'
import { probes } from '../probes/registry.ts'
import type { Surroundings } from './surroundings.ts'
import { parseWords } from './args.ts'
import { parseFormats } from './formats.ts'
import { present } from './present.ts'

/** `swan-probe run storage.write --fileSize 1M --filePath /eos/user/u/`: one probe without a file. */
export async function runOne(words: readonly string[], around: Surroundings): Promise<number> {
  const [id = '', ...rest] = words
  const probe = probes.find((candidate) => candidate.id === id)
  if (probe === undefined) {
    const known = probes.map((candidate) => candidate.id)
    throw new ProbeError('PROBE_USAGE', `Unknown probe \`${id}\`${nearest(id, known)}`)
  }
  const spellings = Object.entries(probe.params).flatMap(([name, param]) => [name, ...param.aliases])
  const keys = [...new Set([...spellings, 'timeout'])]
  const lists = keys.map((key) => `--${key}`)
  const { values, positionals } = parseWords(
    rest,
    {
      ...Object.fromEntries(keys.map((key) => [key, { type: 'string', multiple: true } as const])),
      format: { type: 'string', short: 'f', multiple: true },
    },
    lists,
  )
  if (positionals.length > 0) throw new ProbeError('PROBE_USAGE', `Unexpected word \`${positionals[0]}\``)
  const given = values as Readonly<Record<string, readonly string[] | undefined>>
  const problems: string[] = []
  const fields = keys.flatMap((key) => {
    const found = given[key]
    if (found === undefined) return []
    const param = Object.entries(probe.params).find(([name, { aliases }]) => name === key || aliases.includes(key))?.[1]
    const value = Array.isArray(param?.fallback) || param?.form.startsWith('a list') === true ? found : found.at(-1)
    return [
      {
        key,
        value: param?.secret === true ? envToken(value) : value,
        complain: (message: string) => problems.push(message),
      },
    ]
  })
  const entry = readEntry(probe, fields, { base: around.cwd, userPath: undefined, env: around.env }, (message) =>
    problems.push(message),
  )
  if (entry === undefined) throw new ProbeError('PROBE_USAGE', problems.join('; '))
  await using pool = new HelperPool()
  return await present([entry], {
    pool,
    formats: parseFormats(given['format'] ?? [], process.stdout.isTTY),
    output: { logging: false, logFolder: '' },
    deadlineSeconds: undefined,
    session: undefined,
  })
}

/** A token on the command line stands in the process list for all to see, so `env:NAME` and `file:PATH` spare it. */
function envToken(value: unknown): unknown {
  const match = typeof value === 'string' ? /^(env|file):(.+)$/.exec(value) : null
  return match === null ? value : { [match[1] ?? '']: match[2] }
}
