import { passed, type ProbeResult, type Report } from '../runner/result.ts'
import { showMetric, showName, showSeconds } from './figures.ts'
import { badge, page, tile } from './page.ts'
import { drawSamples, drawTimeline } from './timeline.ts'
import { escapeMarkup } from './xml.ts'

/** Most samples that are drawn bar by bar. */
const mostBars = 120

/** Writes the report as one page that needs nothing beside it. */
export function renderHtml(report: Report): string {
  const good = report.results.filter((result) => passed(result.status)).length
  const bad = report.results.filter((result) => result.status === 'fail' || result.status === 'error').length
  const when = new Date(report.startedAt).toISOString().replace('T', ' ').slice(0, 19)
  const tiles = [
    tile(`${good} / ${report.results.length}`, 'passed', bad === 0 && good === report.results.length ? 'pass' : ''),
    tile(String(bad), 'failed', bad > 0 ? 'fail' : ''),
    tile(String(report.results.filter((result) => result.status === 'skipped').length), 'skipped'),
    tile(showSeconds(report.seconds), report.cut ? 'then ended early' : 'whole run'),
  ]
  return page(
    `${bad === 0 ? 'Passed' : `${bad} failed`}: probes on ${report.host}`,
    `<h1>Probes on ${escapeMarkup(report.host)}</h1>
<p class="sub">${when} UTC, run ${escapeMarkup(report.runId)}</p>
<div class="tiles">${tiles.join('')}</div>
<h2>Verdicts</h2>
<div class="card"><table><thead><tr><th>Verdict</th><th>Probe</th><th>Time</th><th>Figures</th></tr></thead><tbody>
${report.results.map(rowOf).join('\n')}
</tbody></table></div>
<h2>When each ran</h2>
<div class="card" style="padding:1rem">${drawTimeline(report)}</div>`,
  )
}

function rowOf(result: ProbeResult): string {
  const why =
    result.message === undefined ? '' : `<div class="why">${escapeMarkup(result.message)}${codeOf(result)}</div>`
  const left = result.left.map((what) => `<div class="why">Left behind: ${escapeMarkup(what)}</div>`).join('')
  const log =
    result.lines.length === 0
      ? ''
      : `<details><summary>${result.lines.length} lines of log</summary><pre>${escapeMarkup(result.lines.join('\n'))}</pre></details>`
  const time = result.status === 'skipped' ? '' : showSeconds(result.seconds)
  return `<tr><td>${badge(result.status)}</td><td><b>${escapeMarkup(result.id)}</b>${why}${left}${log}</td><td class="num">${time}</td><td>${figuresOf(result)}</td></tr>`
}

const codeOf = (result: ProbeResult): string => (result.code === undefined ? '' : ` <code>${result.code}</code>`)

function figuresOf(result: ProbeResult): string {
  const shown = result.metrics.filter(({ name }) => name !== 'seconds' && !/_(p\d+|max|min)$/.test(name))
  const numbers = shown.map(
    (metric) => `<span><i>${escapeMarkup(showName(metric.name))}</i> ${showMetric(metric)}</span>`,
  )
  const drawn = shown.flatMap(({ name }) => {
    const samples = result.samples[name] ?? []
    const draw = samples.length > 1 && name.endsWith('_mb_per_s')
    return draw ? [drawSamples(samples.slice(0, mostBars), `${showName(name)} of ${samples.length} files`)] : []
  })
  return `<div class="figures">${numbers.join('')}</div>${drawn.join('')}`
}
