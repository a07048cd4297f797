import type { ProbeResult, Report } from '../runner/result.ts'
import { escapeMarkup } from './xml.ts'

/**
 * Writes the report as JUnit XML: a suite a group, a case a probe; a broken probe is an `error`, apart from a `failure`.
 *
 * @see https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
 */
export function renderJunit(report: Report): string {
  const groups = [...new Set(report.results.map((result) => result.group))]
  const suites = groups.map((group) =>
    suiteOf(
      group,
      report.results.filter((result) => result.group === group),
      report,
    ),
  )
  const head = attributes({ name: 'swan-probe', ...counts(report.results), time: report.seconds.toFixed(3) })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${head}>\n${suites.join('')}</testsuites>\n`
}

function suiteOf(group: string, results: readonly ProbeResult[], report: Report): string {
  const time = results.reduce((sum, result) => sum + result.seconds, 0).toFixed(3)
  const timestamp = new Date(report.startedAt).toISOString().slice(0, 19)
  const head = attributes({
    name: group,
    ...counts(results),
    skipped: count(results, 'skipped'),
    time,
    timestamp,
    hostname: report.host,
  })
  return `  <testsuite ${head}>\n${results.map(caseOf).join('')}  </testsuite>\n`
}

function caseOf(result: ProbeResult): string {
  const head = attributes({ name: result.name, classname: result.group, time: result.seconds.toFixed(3) })
  const why = attributes({ message: result.message ?? '', type: result.code ?? '' })
  const verdict = {
    pass: '',
    warn: '',
    fail: `      <failure ${why}/>\n`,
    error: `      <error ${why}/>\n`,
    skipped: `      <skipped ${attributes({ message: result.message ?? '' })}/>\n`,
  }[result.status]
  const output =
    result.lines.length === 0 ? '' : `      <system-out>${escapeMarkup(result.lines.join('\n'))}</system-out>\n`
  return `    <testcase ${head}>\n${verdict}${output}    </testcase>\n`
}

const count = (results: readonly ProbeResult[], status: ProbeResult['status']) =>
  results.filter((result) => result.status === status).length

const counts = (results: readonly ProbeResult[]) => ({
  tests: results.length,
  failures: count(results, 'fail'),
  errors: count(results, 'error'),
})

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${escapeMarkup(String(value))}"`)
    .join(' ')
