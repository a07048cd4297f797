/** A number of bytes and the words it was given in; the original's log lines repeat the words. */
export interface Size {
  readonly bytes: number
  readonly text: string
}

const powers = { '': 0, K: 1, M: 2, G: 3, T: 4 } as const
const largest = 1024 ** 4

/**
 * Reads a size: `10` bytes, `1M` and `1MiB` of 1,048,576 bytes, `1MB` of 1,000,000; fractions where whole bytes result.
 *
 * @returns `undefined` when it is no size, is below one byte, or above 1 TiB.
 */
export function parseSize(value: unknown): Size | undefined {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(B|iB)?$/i.exec(text.trim())
  if (match === null) return undefined
  const unit = (match[2] ?? '').toUpperCase() as keyof typeof powers
  if (unit === '' && match[3]?.toLowerCase() === 'ib') return undefined
  const base = match[3]?.toLowerCase() === 'b' ? 1000 : 1024
  const bytes = Number(match[1]) * base ** powers[unit]
  return Number.isInteger(bytes) && bytes >= 1 && bytes <= largest ? { bytes, text: text.trim() } : undefined
}

/** Writes a number of bytes for people: `1.5 MiB`. */
export function showBytes(bytes: number): string {
  let value = bytes
  let unit = 'B'
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1024) break
    value /= 1024
    unit = next
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`
}
