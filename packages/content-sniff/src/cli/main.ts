#!/usr/bin/env node
import { run } from './run.ts'

const controller = new AbortController()
// The first signal ends the work in order, a second one ends the process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
// A reader that has enough, as `head` has, ends the work as well.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  controller.abort()
})

void run(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY,
  signal: controller.signal,
}).then((code) => {
  process.exitCode = code
})
