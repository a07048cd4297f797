import { showMetric, showName, showSeconds } from '../reports/figures.ts'
import { badge, page, tile } from '../reports/page.ts'
import { escapeMarkup } from '../reports/xml.ts'
import type { PastVerdict, Watched, Watcher } from './watcher.ts'

/** How often the page loads itself again, in seconds. */
const refreshSeconds = 10

/** Draws the watcher's page: state, reason and history of every probe. */
export function renderStatusPage(watcher: Watcher, now: number): string {
  const { probes } = watcher
  const down = probes.filter((probe) => probe.state === 'down').length
  const up = probes.filter((probe) => probe.state === 'up').length
  const tiles = [
    tile(`${up} / ${probes.length}`, 'up', down === 0 && up === probes.length ? 'pass' : ''),
    tile(String(down), 'down', down > 0 ? 'fail' : ''),
    ...watcher.health.names.map((name) => {
      const ok = watcher.health.answer(name)?.ok === true
      return tile(
        ok ? 'yes' : 'no',
        { startup: 'started', liveness: 'live', readiness: 'ready' }[name],
        ok ? 'pass' : 'fail',
      )
    }),
  ]
  return page(
    down === 0 ? `${up} of ${probes.length} up` : `${down} down`,
    `<h1>${down === 0 ? (up === probes.length ? 'All is well' : 'Nothing is down') : `${down} of ${probes.length} down`}</h1>
<p class="sub">${new Date(now).toISOString().replace('T', ' ').slice(0, 19)} UTC, loaded again every ${refreshSeconds} s</p>
<div class="tiles">${tiles.join('')}</div>
<h2>Probes</h2>
<div class="card"><table><thead><tr><th>Last</th><th>Probe</th><th>History, newest right</th><th>Time</th><th>Figures</th></tr></thead><tbody>
${probes.map((probe) => rowOf(probe, now)).join('\n')}
</tbody></table></div>`,
    { refreshSeconds },
  )
}

function rowOf(probe: Watched, now: number): string {
  const { last } = probe
  const state =
    probe.state === 'unknown'
      ? `every ${showAge(probe.everySeconds)}`
      : `${probe.state} for ${showAge((now - probe.since) / 1000)}, every ${showAge(probe.everySeconds)}`
  const why = last?.message === undefined ? '' : `<div class="why">${escapeMarkup(last.message)}</div>`
  const figures = (last?.metrics ?? [])
    .filter(({ name }) => name !== 'seconds' && !/_(p\d+|max|min)$/.test(name))
    .map((metric) => `<span><i>${escapeMarkup(showName(metric.name))}</i> ${showMetric(metric)}</span>`)
  return `<tr><td>${badge(last?.status ?? 'unknown')}</td><td><b>${escapeMarkup(probe.id)}</b><div class="why">${state}</div>${why}</td><td>${strip(probe.history)}</td><td class="num">${last === undefined || last.status === 'skipped' ? '' : showSeconds(last.seconds)}</td><td><div class="figures">${figures.join('')}</div></td></tr>`
}

const barWidth = 4
const barsShown = 60

/** One bar a verdict: its colour is the verdict, its height the time it took. */
function strip(history: readonly PastVerdict[]): string {
  const shown = history.slice(-barsShown)
  const longest = Math.max(0.001, ...shown.map((verdict) => verdict.seconds))
  const offset = (barsShown - shown.length) * barWidth
  const bars = shown.map(({ at, seconds, status }, index) => {
    const tall = 6 + (seconds / longest) * 20
    const title = `${new Date(at).toISOString().slice(11, 19)} ${status}, ${showSeconds(seconds)}`
    return `<rect class="${status}" fill="currentColor" x="${offset + index * barWidth}" y="${(28 - tall).toFixed(1)}" width="${barWidth - 1}" height="${tall.toFixed(1)}"><title>${title}</title></rect>`
  })
  const width = barsShown * barWidth
  return `<svg viewBox="0 0 ${width} 28" width="${width}" height="28" role="img" aria-label="Last ${shown.length} verdicts">${bars.join('')}</svg>`
}

function showAge(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}
