import type { Peer } from './peer.ts'

/** The bar of a figure; one side of it. */
export type Goal = { readonly atMost: number } | { readonly atLeast: number }

/** One figure of a bench: how much of something, as a multiple of what a peer needs or gives in the same run. */
export interface Row {
  /** What was measured, such as `worker, concurrency 16: CPU per job`. Unique in its bench. */
  readonly title: string
  /** Ours ÷ the peer's. */
  readonly ratio: number
  /** Lowest and highest ratio of the run's pairs. */
  readonly range?: readonly [low: number, high: number]
  readonly goal?: Goal
  /** What the ratio is to. */
  readonly peer: Peer
}

/** Tells whether a ratio reaches its bar; without a bar it does. */
export function isMet({ ratio, goal }: Pick<Row, 'ratio' | 'goal'>): boolean {
  if (goal === undefined) return true
  return 'atMost' in goal ? ratio <= goal.atMost : ratio >= goal.atLeast
}

/** A ratio as people read it: two decimals while that says something. */
export const times = (ratio: number): string => `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)} ×`

/** The bar as people read it, empty without one. */
export const bar = (goal: Goal | undefined): string =>
  goal === undefined ? '' : 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`
