import { printableLine } from '../printable.ts'
import type { LineKind } from '../probes/probe.ts'

/** Builds a line in the original's form: `[INFO] 1564999999.1234 write| text`. */
export function logLine(kind: LineKind, nowMs: number, message: string, value?: string): string {
  return `[${kind}] ${(nowMs / 1000).toFixed(4)}${value === undefined ? '' : ` ${value}`}| ${printableLine(message)}`
}

/** Builds the time in the name of a log file, in local time as the original does: `2019-08-05_16:24:23`. */
export function logStamp(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}_${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
