import { readConfig } from './config.ts'
import { createLog } from './log.ts'

const log = createLog()
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => stop.abort(signal))
}

try {
  const config = readConfig(process.env)
  // Loaded once the environment is known to be good: a wrong variable is told at once.
  const { run } = await import('./run.ts')
  await run(config, { log, signal: stop.signal })
} catch (error) {
  // For the person at the terminal: what is wrong and which setting mends it, no stack.
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`events-api cannot run: ${message}\n`)
  process.exitCode = 1
}
