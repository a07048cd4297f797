import { printable } from '../printable.ts'
import { passed, type ProbeResult, type Report, type Status } from '../runner/result.ts'

const states = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const

const stateOf: Readonly<Record<Status, 0 | 1 | 2 | 3>> = { pass: 0, warn: 1, fail: 2, error: 3, skipped: 3 }

/** Exit code of a monitoring plugin: a failure goes before what is unknown, that before a warning. */
export function nagiosExitCode(report: Report): 0 | 1 | 2 | 3 {
  const found = report.results.map((result) => stateOf[result.status])
  for (const state of [2, 3, 1] as const) if (found.includes(state)) return state
  return 0
}

/**
 * Writes one line with its performance data, then a line a probe.
 *
 * @see https://nagios-plugins.org/doc/guidelines.html#PLUGOUTPUT
 */
export function renderNagios(report: Report): string {
  const bad = report.results.filter((result) => result.status !== 'pass')
  const good = report.results.filter((result) => passed(result.status)).length
  const summary = [`${good} of ${report.results.length} passed`, ...bad.map(short)].join('; ')
  const head = `SWAN-PROBE ${states[nagiosExitCode(report)]} - ${plain(summary)}`
  const data = report.results.flatMap(dataOf).join(' ')
  const details = report.results.map((result) => plain(`${states[stateOf[result.status]]} ${short(result)}`))
  return `${head}|${data}\n${details.join('\n')}\n`
}

const short = (result: ProbeResult): string =>
  `${result.id}${result.message === undefined ? '' : `: ${result.message}`}`

/** A bar would start performance data, a line feed the long text. */
const plain = (text: string): string => printable(text.replaceAll('|', '/').replaceAll(/[\r\n]+/g, ' '))

const units: Readonly<Record<string, string>> = { s: 's', B: 'B', 'MB/s': '', count: '' }

/** `'label'=value[UOM];warn;crit;min;max`; a unit that the rules do not have is left out, its name is in the label. */
function dataOf(result: ProbeResult): string[] {
  if (result.status === 'skipped') return []
  return result.metrics.map(({ name, value, unit, warn, crit }) => {
    const number = Number.isFinite(value) ? Number(value.toPrecision(9)).toString() : 'U'
    return `'${result.id}.${name}'=${number}${number === 'U' ? '' : units[unit]};${warn?.text ?? ''};${crit?.text ?? ''};0;`
  })
}
