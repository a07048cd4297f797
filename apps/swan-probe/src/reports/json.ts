import { printableJson } from '../printable.ts'
import { exitCodeOf, type Report } from '../runner/result.ts'

/** The whole report; the shape only grows. */
export function renderJson(report: Report): string {
  const { results, ...run } = report
  const shown = {
    ...run,
    startedAt: new Date(run.startedAt).toISOString(),
    passed: exitCodeOf(report) === 0,
    results: results.map((result) => ({
      ...result,
      startedAt: new Date(result.startedAt).toISOString(),
      endedAt: new Date(result.endedAt).toISOString(),
      metrics: result.metrics.map((metric) => ({ ...metric, warn: metric.warn?.text, crit: metric.crit?.text })),
    })),
  }
  return `${printableJson(JSON.stringify(shown, null, 2))}\n`
}
