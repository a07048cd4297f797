import { commonParams } from '../config/entry.ts'
import { nearest } from '../config/nearest.ts'
import { ProbeError } from '../errors.ts'
import { probes } from '../probes/registry.ts'

/** `swan-probe list`: every probe in one line. */
export function list(): Promise<number> {
  const width = Math.max(...probes.map((probe) => probe.id.length))
  for (const probe of probes) process.stdout.write(`${probe.id.padEnd(width)}  ${probe.summary}\n`)
  return Promise.resolve(0)
}

/** `swan-probe explain PROBE`: what it does, what passes, which keys it takes. */
export function explain(words: readonly string[]): Promise<number> {
  const id = words[0] ?? ''
  const probe = probes.find((candidate) => candidate.id === id)
  if (probe === undefined) {
    throw new ProbeError(
      'PROBE_USAGE',
      `Unknown probe \`${id}\`${nearest(
        id,
        probes.map((known) => known.id),
      )}`,
    )
  }
  const lines = [probe.id, `  ${probe.summary}`, `  Passes: ${probe.passes}`, '', 'Keys:']
  for (const [name, param] of Object.entries(probe.params)) {
    const spellings = [name, ...param.aliases].join(', ')
    const fallback = param.required ? 'required' : `default ${showFallback(param.fallback)}`
    lines.push(`  ${spellings}: ${param.form}; ${fallback}`, `      ${param.doc}`)
  }
  for (const [name, { doc, form }] of Object.entries(commonParams)) {
    if (!(name in probe.params)) lines.push(`  ${name}: ${form}`, `      ${doc}`)
  }
  lines.push('', `Measures: ${['seconds', ...probe.measures].join(', ')}`)
  process.stdout.write(`${lines.join('\n')}\n`)
  return Promise.resolve(0)
}

function showFallback(value: unknown): string {
  const text = JSON.stringify(value)
  return text === '""' ? 'empty' : text
}
