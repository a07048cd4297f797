import { appendFileSync } from 'node:fs'

import type { Row } from './row.ts'

/**
 * Keeps a figure for the tables and charts. Under `pnpm bench` it goes to the file that `BENCH_ROWS` names; a bench that
 * is run by itself prints its own lines and keeps nothing.
 *
 * @throws TypeError for a ratio that is no number: a table must not show it.
 */
export function record(row: Row): void {
  if (!Number.isFinite(row.ratio)) throw new TypeError(`Expected a ratio for "${row.title}", got ${row.ratio}`)
  const file = process.env['BENCH_ROWS']
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`)
}
