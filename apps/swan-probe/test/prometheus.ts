/** One sample of Prometheus' text form. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const label = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"`
const sampleLine = new RegExp(
  String.raw`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:${label})(?:,${label})*)\})? (-?[0-9.eE+-]+|NaN|[+-]Inf)$`,
)

/**
 * Parses the text form as strictly as the textfile collector: every family has its HELP and TYPE before its samples,
 * appears once, has no sample twice and no timestamps.
 *
 * @see https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md
 * @throws Error naming the line.
 */
export function parsePrometheus(text: string): readonly Sample[] {
  if (!text.endsWith('\n')) throw new Error('Expected a line feed at the end')
  const samples: Sample[] = []
  const types = new Map<string, string>()
  const seen = new Set<string>()
  let family: string | undefined
  let help: string | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') {
      if (types.has(name)) throw new Error(`Family twice: ${line}`)
      help = name
    } else if (kind === 'TYPE') {
      if (help !== name || !['gauge', 'counter'].includes(rest)) throw new Error(`TYPE out of place: ${line}`)
      if (rest === 'counter' && !name.endsWith('_total')) throw new Error(`A counter ends in _total: ${line}`)
      types.set(name, rest)
      family = name
    } else {
      const match = sampleLine.exec(line)
      if (match === null || match[1] !== family) throw new Error(`No sample of ${family}: ${line}`)
      const key = `${match[1]}{${match[2] ?? ''}}`
      if (seen.has(key)) throw new Error(`Sample twice: ${line}`)
      seen.add(key)
      const labels = Object.fromEntries(
        [...(match[2] ?? '').matchAll(new RegExp(label, 'g'))].map(([, label_, value]) => [label_, value]),
      )
      samples.push({ name: match[1] ?? '', labels: labels as Record<string, string>, value: Number(match.at(-1)) })
    }
  }
  return samples
}
