import { readConfig } from './config.ts'
import { createLog } from './log.ts'
import { run } from './run.ts'

const log = createLog()
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => stop.abort(signal))
}

try {
  await run(readConfig(process.env), { log, signal: stop.signal })
} catch (error) {
  // For the person at the terminal: what is wrong and which setting mends it, no stack.
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`events-api cannot run: ${message}\n`)
  process.exitCode = 1
}
