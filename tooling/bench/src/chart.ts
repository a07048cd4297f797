import type { Results } from './results.ts'
import { isMet, type Row, times } from './row.ts'

const WIDTH = 760
const LABEL = 400
const ROW = 24
const TOP = 34

const style = `
text{font:12px system-ui,sans-serif;fill:#1f2328}
.axis{stroke:#8c959f}.goal{stroke:#1f2328;stroke-width:2}
.met{fill:#2da44e}.missed{fill:#d4722c}.faint{fill:#59636e}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.goal{stroke:#e6edf3}.faint{fill:#9198a1}}`

/**
 * Draws ratios as bars from the line of equality, on a logarithmic scale: half and double are equally far from it. A
 * mark shows the goal. Follows the reader's colour scheme.
 */
export function chart({ name, rows }: Pick<Results, 'name' | 'rows'>): string {
  const values = rows.flatMap(({ ratio, goal }) => [ratio, ...(goal === undefined ? [] : Object.values(goal))])
  const reach = Math.max(1, ...values.map((value) => Math.abs(Math.log2(Math.max(value, 2 ** -8))))) * 1.1
  const room = WIDTH - LABEL - 70
  const x = (ratio: number) => round(LABEL + ((Math.log2(Math.max(ratio, 2 ** -reach)) + reach) / (2 * reach)) * room)
  const height = TOP + rows.length * ROW + 12
  const one = x(1)
  const bars = rows.map((row, index) => bar(row, TOP + index * ROW, x))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(`Ratios of ${name} to its peers`)}">`,
    `<style>${style}</style>`,
    `<text x="${one}" y="14" text-anchor="middle" class="faint">as the peer</text>`,
    `<text x="${WIDTH - 4}" y="14" text-anchor="end" class="faint">mark: the goal</text>`,
    `<line class="axis" x1="${one}" x2="${one}" y1="20" y2="${height - 8}"/>`,
    ...bars,
    '</svg>\n',
  ].join('\n')
}

function bar({ title, ratio, goal }: Row, y: number, x: (ratio: number) => number): string {
  const [from, to] = [x(1), x(ratio)].toSorted((a, b) => a - b) as [number, number]
  const middle = y + ROW / 2 + 4
  const mark = goal === undefined ? undefined : x(Object.values(goal)[0] as number)
  return [
    `<text x="${LABEL - 8}" y="${middle}" text-anchor="end">${escape(shortened(title))}</text>`,
    `<rect class="${isMet({ ratio, goal: goal as never }) ? 'met' : 'missed'}" x="${from}" y="${y + 5}" width="${Math.max(1, round(to - from))}" height="${ROW - 10}" rx="2"/>`,
    mark === undefined ? '' : `<line class="goal" x1="${mark}" x2="${mark}" y1="${y + 3}" y2="${y + ROW - 3}"/>`,
    `<text x="${WIDTH - 4}" y="${middle}" text-anchor="end">${times(ratio)}</text>`,
  ].join('')
}

const shortened = (title: string) => (title.length <= 62 ? title : `${title.slice(0, 61)}…`)
const round = (value: number) => Math.round(value * 10) / 10
const escape = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
