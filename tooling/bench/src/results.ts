import { availableParallelism, cpus, totalmem } from 'node:os'

import type { Row } from './row.ts'

/** What is kept of one bench, in `bench/results/<name>.json`. */
export interface Results {
  /** Package or app. */
  readonly name: string
  /** What to type to get these figures again. */
  readonly command: string
  /** Day of the run, `YYYY-MM-DD`. */
  readonly day: string
  readonly machine: string
  readonly rows: readonly Row[]
}

/** The machine in half a line. */
export function machine(): string {
  const [cpu] = cpus()
  const gigabytes = Math.round(totalmem() / 1024 ** 3)
  return `${availableParallelism()} cores ${cpu?.model.trim() ?? process.arch}, ${gigabytes} GB, Node ${process.version}`
}

/** Reads the lines that `record` left; a title that comes twice counts as it came last. */
export function rowsOf(lines: string): Row[] {
  const rows = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
  return [...new Map(rows.map((row) => [row.title, row])).values()]
}

/**
 * Says how a short run differs from the kept results in what it measured: a row that is gone or new means that tables and
 * charts are stale.
 */
export function stale(kept: readonly Row[], now: readonly Row[]): string[] {
  const without = (rows: readonly Row[], others: readonly Row[]) =>
    rows.filter(({ title }) => !others.some((other) => other.title === title))
  return [
    ...without(kept, now).map(({ title }) => `"${title}" is in the results but was not measured`),
    ...without(now, kept).map(({ title }) => `"${title}" was measured but is not in the results`),
  ]
}
