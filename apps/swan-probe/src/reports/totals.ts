import { passed, type Report } from '../runner/result.ts'

/** The original's last two lines: how many passed, and which, as Python prints a list. */
export function renderTotals(report: Report): string {
  const good = report.results.filter((result) => passed(result.status))
  const names = good.map(({ group, name }) => `'${group}_test_${name}'`)
  return `Total tests passed ${good.length} Total number of tests ${report.results.length}\n[${names.join(', ')}]\n`
}
