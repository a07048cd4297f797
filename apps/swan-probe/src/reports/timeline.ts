import type { Report } from '../runner/result.ts'
import { showSeconds } from './figures.ts'
import { escapeMarkup } from './xml.ts'

const rowHeight = 24
const labelWidth = 210
const chartWidth = 640
const rightWidth = 90

/** Draws when each probe ran: what was concurrent, what waited for what. */
export function drawTimeline(report: Report): string {
  const ran = report.results.filter((result) => result.status !== 'skipped').sort((a, b) => a.startedAt - b.startedAt)
  if (ran.length === 0) return ''
  const start = Math.min(...ran.map((result) => result.startedAt))
  const span = Math.max(0.001, ...ran.map((result) => (result.startedAt - start) / 1000 + result.seconds))
  const x = (seconds: number) => labelWidth + (seconds / span) * chartWidth
  const step = niceStep(span / 5)
  const ticks = Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step)
  const bottom = ran.length * rowHeight + 8
  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="4" y2="${bottom}"/>` +
      `<text class="axis" x="${x(tick).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${tick === 0 ? '0' : showSeconds(tick)}</text>`,
  )
  const bars = ran.map((result, row) => {
    const y = row * rowHeight + 8
    const from = x((result.startedAt - start) / 1000)
    const width = Math.max(2, (result.seconds / span) * chartWidth)
    return (
      `<text x="0" y="${y + 12}">${escapeMarkup(result.id)}</text>` +
      `<rect class="${result.status}" fill="currentColor" x="${from.toFixed(1)}" y="${y + 2}" width="${width.toFixed(1)}" height="13" rx="2"/>` +
      `<text class="axis" x="${(from + width + 6).toFixed(1)}" y="${y + 12}">${showSeconds(result.seconds)}</text>`
    )
  })
  const size = `0 0 ${labelWidth + chartWidth + rightWidth} ${bottom + 24}`
  return `<svg viewBox="${size}" role="img" aria-label="When each probe ran">${grid.join('')}${bars.join('')}</svg>`
}

/** Draws samples in the order in which they were taken, from zero up. */
export function drawSamples(samples: readonly number[], label: string): string {
  const [width, height] = [180, 34]
  const top = Math.max(...samples)
  const step = width / samples.length
  const bars = samples.map((sample, index) => {
    const tall = top === 0 ? 0 : (sample / top) * (height - 2)
    const wide = Math.max(0.5, step - Math.min(2, step / 4))
    return `<rect fill="var(--bar)" x="${(index * step).toFixed(2)}" y="${(height - tall).toFixed(2)}" width="${wide.toFixed(2)}" height="${tall.toFixed(2)}"/>`
  })
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeMarkup(label)}">${bars.join('')}</svg>`
}

/** The next of 1, 2, 5, 10, 20 ... that is not below a value. */
function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? value
}
