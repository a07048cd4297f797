import { type Peer, record } from '@org/bench'

import { median } from './load.ts'

/** One line of the result. */
export interface Row {
  readonly what: string
  readonly unit: string
  /** Whether it is a difference, whose ratio to another says nothing. */
  readonly isDifference?: boolean
  readonly ours: number
  /** Absent where there is nothing to compare. */
  readonly peer?: number
  /** Who the peer is if not JupyterHub. */
  readonly peerIs?: Peer
  /** Ours ÷ the peer's by pair, where there are several: their median counts then. */
  readonly pairs?: readonly number[]
  /** How many times better ours should be. */
  readonly atLeast?: number
  /** The largest value ours should have. */
  readonly atMost?: number
  /** The smallest value ours should have. */
  readonly atLeastValue?: number
}

/** Keeps the rows that have a peer: ours as a multiple of the peer's. */
export function keep(rows: readonly Row[], peer: Peer): void {
  for (const row of rows) {
    const { what, unit, atLeast, isDifference, pairs, peerIs } = row
    const ratio = ratioOf(row)
    if (ratio === undefined || isDifference) continue
    const goal = atLeast === undefined ? undefined : unit === '/s' ? { atLeast } : { atMost: 1 / atLeast }
    record({
      title: unit === '/s' ? `${what}: rate` : what,
      ratio,
      ...(pairs && { range: [Math.min(...pairs), Math.max(...pairs)] }),
      ...(goal && { goal }),
      peer: peerIs ?? peer,
    })
  }
}

function ratioOf({ ours, peer, pairs }: Row): number | undefined {
  if (peer === undefined) return undefined
  return pairs === undefined ? ours / peer : median(pairs)
}

/** Prints rows: values, how many times better ours is, the goal, and whether it is met. */
export function printTable(rows: readonly Row[]): void {
  const lines = [['what', 'ours', 'peer', 'better', 'goal', ''], ...rows.map(cells)]
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? []
  for (const line of lines) {
    console.log(
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
  }
}

function cells(row: Row): string[] {
  const { what, unit, ours, peer, atLeast, atMost, atLeastValue } = row
  const show = (value: number) => `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`
  const isRate = unit === '/s'
  const ratio = ratioOf(row) ?? Number.NaN
  const better = isRate ? ratio : 1 / ratio
  const goals = [
    ...(atLeast === undefined ? [] : [{ text: `${atLeast}x`, met: better >= atLeast }]),
    ...(atMost === undefined ? [] : [{ text: `<= ${atMost} ${unit}`, met: ours <= atMost }]),
    ...(atLeastValue === undefined ? [] : [{ text: `>= ${atLeastValue} ${unit}`, met: ours >= atLeastValue }]),
  ]
  return [
    what,
    show(ours),
    peer === undefined ? '' : show(peer),
    peer === undefined ? '' : `${better.toFixed(1)}x`,
    goals.map(({ text }) => text).join(', '),
    goals.length === 0 ? '' : goals.every(({ met }) => met) ? 'met' : 'NOT MET',
  ]
}
