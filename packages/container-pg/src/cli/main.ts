#!/usr/bin/env node
import { ContainerPgError } from '../errors.ts'
import { run } from './run.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

// Whoever reads may have enough before we are done, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(process.exitCode)
})

try {
  process.exitCode = await run(process.argv.slice(2), {
    env: process.env,
    out: (text) => process.stdout.write(text),
    note: (text) => process.stderr.write(text),
    signal: stop.signal,
  })
} catch (error) {
  if (!(error instanceof ContainerPgError)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  if (error.remedy !== undefined) process.stderr.write(`→ ${error.remedy}\n`)
  for (const line of error.logTail) process.stderr.write(`  | ${line}\n`)
  process.exitCode = 1
}
