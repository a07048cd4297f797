/** Severity of a log line, from the least to the most urgent. */
export type Level = 'debug' | 'info' | 'warn' | 'error'

/** Writes structured lines: one JSON object each. Values must not hold secrets. */
export interface Log {
  (level: Level, message: string, fields?: Readonly<Record<string, unknown>>): void
}

const order: readonly Level[] = ['debug', 'info', 'warn', 'error']

/** Makes a log that writes lines at or above a level; `write` gets each line with its newline. */
export function createLog(least: Level, write: (line: string) => void): Log {
  const from = order.indexOf(least)
  return (level, message, fields = {}) => {
    if (order.indexOf(level) < from) return
    write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`)
  }
}
