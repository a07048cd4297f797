import { passed, type Report, type Status } from '../runner/result.ts'

const statuses: readonly Status[] = ['pass', 'warn', 'fail', 'error', 'skipped']

/** One metric with all its rows. */
export interface Family {
  readonly name: string
  readonly help: string
  /** `gauge` by default. */
  readonly type?: 'counter'
  readonly rows: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/**
 * Writes the report in Prometheus' text form, for node_exporter's textfile collector or a scrape.
 *
 * Without timestamps, which the collector refuses; `swan_probe_last_run_timestamp_seconds` tells how old it is.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function renderPrometheus(report: Report): string {
  const of = (result: Report['results'][number]) => ({ group: result.group, probe: result.name })
  const ran = report.results.filter((result) => result.status !== 'skipped')
  const families: readonly Family[] = [
    {
      name: 'swan_probe_success',
      help: 'Whether the probe passed, 1 or 0.',
      rows: ran.map((result) => ({ labels: of(result), value: passed(result.status) ? 1 : 0 })),
    },
    {
      name: 'swan_probe_status',
      help: 'Verdict of the probe: 1 for the one that it has.',
      rows: report.results.flatMap((result) =>
        statuses.map((status) => ({ labels: { ...of(result), status }, value: result.status === status ? 1 : 0 })),
      ),
    },
    {
      name: 'swan_probe_duration_seconds',
      help: 'How long the probe ran.',
      rows: ran.map((result) => ({ labels: of(result), value: result.seconds })),
    },
    {
      name: 'swan_probe_measurement',
      help: 'What the probe measured; the unit is part of the name.',
      rows: ran.flatMap((result) =>
        result.metrics
          .filter((metric) => metric.name !== 'seconds' && Number.isFinite(metric.value))
          .map((metric) => ({ labels: { ...of(result), name: metric.name }, value: metric.value })),
      ),
    },
    {
      name: 'swan_probe_last_run_timestamp_seconds',
      help: 'When the run ended, in seconds since 1970.',
      rows: [{ labels: {}, value: report.startedAt / 1000 + report.seconds }],
    },
    {
      name: 'swan_probe_run_seconds',
      help: 'How long the whole run took.',
      rows: [{ labels: {}, value: report.seconds }],
    },
  ]
  return renderFamilies(families)
}

/** Writes metrics as text; one without rows is left out. */
export function renderFamilies(families: readonly Family[]): string {
  return families.map(textOf).join('')
}

function textOf(family: Family): string {
  if (family.rows.length === 0) return ''
  const rows = family.rows.map(({ labels, value }) => `${family.name}${labelsOf(labels)} ${value}`)
  return `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type ?? 'gauge'}\n${rows.join('\n')}\n`
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapeLabel = (value: string): string =>
  value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
