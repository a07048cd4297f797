import { createInterface } from 'node:readline'

import { runProbes } from '../runner/run.ts'
import { type EntryMessage, fromMessage, type InsideMessage } from './messages.ts'

/**
 * The side in the container: takes the probes from the first line of its input, runs them, answers in lines.
 *
 * What they need, tokens included, comes through the pipe and never touches the container's disk. The end of the
 * input means that the runner outside wants no more, or is gone.
 */
export async function runInside(): Promise<void> {
  const stop = new AbortController()
  // A runner that is gone reads no more; what was made still has to be put away.
  process.stdout.on('error', () => stop.abort())
  const send = (message: InsideMessage) => process.stdout.write(`${JSON.stringify(message)}\n`)
  const input = createInterface({ input: process.stdin })
  const { promise: first, resolve } = Promise.withResolvers<string>()
  input.once('line', resolve)
  input.on('close', () => {
    stop.abort()
    resolve('[]')
  })
  const entries = (JSON.parse(await first) as EntryMessage[]).flatMap((message) => fromMessage(message, process.cwd()))
  const report = await runProbes(entries, {
    signal: stop.signal,
    listener: {
      started: (id) => send({ kind: 'started', id }),
      line: (id, line) => send({ kind: 'line', id, line }),
      finished: (result) => send({ kind: 'finished', result }),
    },
  })
  send({ kind: 'report', report })
  process.stdin.destroy()
}
