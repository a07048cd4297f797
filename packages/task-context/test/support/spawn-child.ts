import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

import type { ChildOrder } from './child.ts'

/** A process that runs `child.ts`. */
export interface Child extends AsyncDisposable {
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves once it has printed a line that starts so. */
  readonly says: (start: string) => Promise<string>
  /** Resolves with how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  readonly lines: readonly string[]
}

/** Starts a child process with an order. */
export function spawnChild(order: ChildOrder): Child {
  const file = path.join(import.meta.dirname, 'child.ts')
  const child = spawn(process.execPath, ['--conditions=@org/source', file, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  let waiting: (() => void)[] = []
  const wake = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    wake()
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    wake()
    return { code: code as number | null, signal: signal as NodeJS.Signals | null }
  })
  return {
    lines,
    ended,
    kill: (signal) => void child.kill(signal),
    async says(start) {
      for (;;) {
        const line = lines.find((one) => one.startsWith(start))
        if (line !== undefined) return line
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The child ended before \`${start}\``)
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve]
        })
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
