import type { Metric } from '../runner/result.ts'

/** Writes a measurement for people: `12.3 ms`, `481 MB/s`. */
export function showMetric({ value, unit }: Pick<Metric, 'value' | 'unit'>): string {
  if (unit === 's') return showSeconds(value)
  const rounded = Number(value.toPrecision(3))
  return unit === 'count' ? String(rounded) : `${rounded} ${unit}`
}

/** Writes a duration for people. */
export function showSeconds(seconds: number): string {
  if (seconds >= 100) return `${seconds.toFixed(0)} s`
  if (seconds >= 1) return `${seconds.toFixed(2)} s`
  return seconds >= 0.001
    ? `${(seconds * 1000).toFixed(seconds >= 0.1 ? 0 : 1)} ms`
    : `${(seconds * 1e6).toFixed(0)} µs`
}

/** The name of a measurement without its unit. */
export const showName = (name: string): string =>
  name
    .replace(/_mb_per_s/, ' rate')
    .replace(/_seconds/, ' time')
    .replaceAll('_', ' ')
