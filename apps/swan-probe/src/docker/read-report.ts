import { ProbeError } from '../errors.ts'
import { printableLine } from '../printable.ts'
import type { Entry } from '../config/config.ts'
import type { Measurement } from '../probes/probe.ts'
import type { Metric, ProbeResult, Report, Status } from '../runner/result.ts'

const statuses: readonly Status[] = ['pass', 'warn', 'fail', 'error', 'skipped']
const units: readonly Measurement['unit'][] = ['s', 'MB/s', 'B', 'count']

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a report that comes out of a container, whose user may have written it: nothing in it is believed to be of the
 * form that it should have, and the names are ours.
 *
 * @throws {@link ProbeError} `PROBE_CONTAINER_EXEC` when it is no report.
 */
export function readReport(value: unknown, entries: readonly Entry[]): Report {
  const report = fields(value)
  const results = list(report['results']).map(fields)
  return {
    runId: text(report['runId']),
    host: text(report['host']),
    startedAt: moment(report['startedAt']),
    seconds: number(report['seconds']),
    cut: report['cut'] === true,
    results: entries.flatMap((entry) => {
      const found = results.find(({ id }) => id === entry.probe.id)
      return found === undefined ? [] : [readResult(found, entry)]
    }),
  }
}

/** Reads the result of one probe as {@link readReport} does. */
export function readResult(value: unknown, { probe, thresholds }: Entry): ProbeResult {
  const result = fields(value)
  const { code } = result
  if (code !== undefined && !/^PROBE_[A-Z_]+$/.test(text(code))) throw unreadable()
  const metrics = list(result['metrics']).map((item): Metric => {
    const { name, value: measured, unit } = fields(item)
    const limits = thresholds.get(label(name))
    return {
      name: label(name),
      value: number(measured),
      unit: one(units, unit),
      warn: limits?.warn,
      crit: limits?.crit,
    }
  })
  // Prometheus refuses the whole text for one row that comes twice.
  if (new Set(metrics.map(({ name }) => name)).size < metrics.length) throw unreadable()
  return {
    id: probe.id,
    group: probe.group,
    name: probe.name,
    status: one(statuses, result['status']),
    code: code as ProbeResult['code'],
    message: result['message'] === undefined ? undefined : text(result['message']),
    startedAt: moment(result['startedAt']),
    endedAt: moment(result['endedAt']),
    seconds: number(result['seconds']),
    metrics,
    samples: Object.fromEntries(
      Object.entries(fields(result['samples'])).map(([name, samples]) => [label(name), list(samples).map(number)]),
    ),
    lines: list(result['lines']).map((line) => printableLine(text(line))),
    left: list(result['left']).map(text),
  }
}

const unreadable = (): ProbeError =>
  new ProbeError('PROBE_CONTAINER_EXEC', 'What came out of the container is no report of this program')

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable()
  return value as Fields
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unreadable()
  return value as unknown[]
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw unreadable()
  return value
}

/** Name of a measurement: part of a Nagios label and of a log line. */
function label(value: unknown): string {
  const name = text(value)
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) throw unreadable()
  return name
}

/** JSON has no word for a measurement that is no number. */
function number(value: unknown): number {
  if (value === null) return Number.NaN
  if (typeof value !== 'number') throw unreadable()
  return value
}

/** Milliseconds since 1970 that a date can hold. */
function moment(value: unknown): number {
  if (typeof value !== 'number' || Number.isNaN(new Date(value).getTime())) throw unreadable()
  return value
}

function one<T>(words: readonly T[], value: unknown): T {
  const found = words.find((word) => word === value)
  if (found === undefined) throw unreadable()
  return found
}
