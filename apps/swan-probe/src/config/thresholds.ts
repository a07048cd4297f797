/**
 * A range as monitoring plugins write it: `10` (0 to 10 is fine), `10:`, `~:10`, `10:20`, `@10:20` (inside is bad).
 *
 * @see https://nagios-plugins.org/doc/guidelines.html#THRESHOLDFORMAT
 */
export interface Range {
  readonly text: string
  readonly low: number
  readonly high: number
  readonly inside: boolean
}

/** Limits of one measurement. */
export interface Threshold {
  readonly warn: Range | undefined
  readonly crit: Range | undefined
}

/** Limits by the name of the measurement. */
export type Thresholds = ReadonlyMap<string, Threshold>

const number = String.raw`-?\d+(?:\.\d+)?`
const pattern = new RegExp(`^(@?)(?:(~|${number})?:)?(${number})?$`)

/** Reads a range; `undefined` when it is none or when its start is above its end. */
export function parseRange(value: unknown): Range | undefined {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string') return undefined
  const match = pattern.exec(text.trim())
  if (match === null || text.trim().replace('@', '') === '' || text.trim() === ':') return undefined
  const start = match[2]
  const low = start === '~' ? -Infinity : start === undefined ? 0 : Number(start)
  const high = match[3] === undefined ? Infinity : Number(match[3])
  return low <= high ? { text: text.trim(), low, high, inside: match[1] === '@' } : undefined
}

/** Tells whether a value lies where the range says that it must not. */
export function breaks(range: Range, value: number): boolean {
  const within = value >= range.low && value <= range.high
  return range.inside ? within : !within
}
