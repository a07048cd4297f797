import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, vi } from 'vitest'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 })

const main = path.join(import.meta.dirname, '../src/main.ts')

// Each run would strip the types of a hundred files again.
const cache = mkdtempSync(path.join(tmpdir(), 'compile-cache-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** How a run of the command ended. */
export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface CliOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Sees the process and each piece of its output. */
  readonly onOutput?: (text: string, child: ChildProcess) => void
}

/** Runs `swan-probe` as a process of its own. */
export async function swanProbe(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: options.cwd ?? '/',
    env: { ...process.env, NODE_COMPILE_CACHE: cache, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    options.onOutput?.(text, child)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const { promise, resolve } = Promise.withResolvers<number | null>()
  // `close`, not `exit`: a pipe that a stuck child holds open is a fault.
  child.on('close', resolve)
  const code = await promise
  return { code, stdout, stderr }
}
