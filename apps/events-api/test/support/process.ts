import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

/** The service as a process of its own. */
export interface ServiceProcess extends AsyncDisposable {
  readonly url: string
  /** What it wrote to stdout and stderr. */
  readonly output: readonly string[]
  /** Sends a signal and waits for the end; answers with the exit code, `null` after a kill. */
  stop(signal: NodeJS.Signals): Promise<number | null>
}

/** A start that failed: what the person at the terminal sees. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code: number | null

  constructor(code: number | null, output: readonly string[]) {
    super(output.join('\n'))
    this.code = code
  }
}

/** Starts `main.ts` with an environment of its own and waits until it is ready. */
export async function startProcess(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const main = path.join(import.meta.dirname, '../../src/main.ts')
  const child = spawn(process.execPath, ['--conditions=@org/source', main], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '/',
      PORT: '0',
      SECRET: 's'.repeat(40),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  const ended = once(child, 'exit') as Promise<[number | null]>
  try {
    const url = await Promise.race([readyUrl(child, output), ended.then(([code]) => new StartError(code, output))])
    if (url instanceof StartError) throw url
    return {
      url,
      output,
      async stop(signal) {
        if (child.exitCode === null && child.signalCode === null) child.kill(signal)
        return (await ended)[0]
      },
      async [Symbol.asyncDispose]() {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
        await ended
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    await ended
    throw error
  }
}

function readyUrl(child: ChildProcess, output: string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const keep = (line: string) => {
    output.push(line)
    if (output.length > 500) output.shift()
    if (!line.startsWith('{')) return
    const entry = JSON.parse(line) as { message: string; url?: string }
    if (entry.message === 'ready' && entry.url !== undefined) resolve(entry.url)
  }
  for (const stream of [child.stdout!, child.stderr!]) createInterface({ input: stream }).on('line', keep)
  return promise
}
