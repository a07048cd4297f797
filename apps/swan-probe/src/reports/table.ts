import { printableLine } from '../printable.ts'
import { passed, type ProbeResult, type Report } from '../runner/result.ts'
import { mark } from './marks.ts'

/** Draws the table that a terminal shows. */
export function renderTable(report: Report, options: { readonly colour: boolean }): string {
  const width = Math.max(...report.results.map((result) => result.id.length), 5)
  const rows = report.results.flatMap((result) => {
    const head = `${mark(result.status, options.colour)} ${result.id.padEnd(width)} ${timeOf(result)}`
    const notes = [result.message, ...result.left.map((left) => `left behind: ${left}`)].filter(
      (note) => note !== undefined,
    )
    return [`${head}  ${figuresOf(result)}`.trimEnd(), ...notes.map((note) => `${' '.repeat(6)}${printableLine(note)}`)]
  })
  const good = report.results.filter((result) => passed(result.status)).length
  const count = (status: ProbeResult['status']) => report.results.filter((result) => result.status === status).length
  const parts = [
    `${good} of ${report.results.length} passed`,
    ...(['warn', 'fail', 'error', 'skipped'] as const).flatMap((status) =>
      count(status) === 0
        ? []
        : [
            `${count(status)} ${{ warn: 'with a warning', fail: 'failed', error: 'broke', skipped: 'skipped' }[status]}`,
          ],
    ),
  ]
  const end = `${parts.join(', ')}, in ${report.seconds.toFixed(2)} s${report.cut ? ' (ended early)' : ''}`
  return `${rows.join('\n')}\n\n${end}\n`
}

const timeOf = (result: ProbeResult): string =>
  result.status === 'skipped' ? ''.padStart(8) : `${result.seconds.toFixed(3)} s`.padStart(8)

/** The two figures that tell most. */
function figuresOf(result: ProbeResult): string {
  const shown = result.metrics.filter(({ name }) => name !== 'seconds' && !/_(p\d+|max|min)$/.test(name)).slice(0, 2)
  return shown
    .map(({ name, value, unit }) => `${name} ${Number(value.toPrecision(3))}${unit === 'count' ? '' : ` ${unit}`}`)
    .join('  ')
}
