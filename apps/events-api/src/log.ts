/** Writes one JSON line an event. Never given bodies, headers or addresses with passwords. */
export interface Log {
  info(message: string, details?: Readonly<Record<string, unknown>>): void
  warn(message: string, details?: Readonly<Record<string, unknown>>): void
  error(message: string, details?: Readonly<Record<string, unknown>>): void
}

/** Makes a log over a stream, stdout by default. */
export function createLog(write: (line: string) => void = (line) => void process.stdout.write(line)): Log {
  const at =
    (level: string) =>
    (message: string, details: Readonly<Record<string, unknown>> = {}) => {
      const { error, ...rest } = details
      const line = {
        time: new Date().toISOString(),
        level,
        message,
        ...rest,
        ...(error !== undefined && describe(error)),
      }
      write(`${JSON.stringify(line)}\n`)
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

/** A log that keeps nothing. */
export const silentLog: Log = { info() {}, warn() {}, error() {} }

/** Name, code and place of an error. Not a database driver's details: they hold values of rows. */
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error ? error.code : undefined
  return { error: error.name, code, detail: error.message, stack: error.stack?.split('\n').slice(1, 6).join(' | ') }
}
