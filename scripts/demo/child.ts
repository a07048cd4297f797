import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A command that could not do its work; the message is for the person at the terminal. */
export class DemoError extends Error {
  override readonly name = 'DemoError'
}

interface ChildOptions {
  readonly name: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly logDir: string
  /** Address that answers below 500 once the app can be used. */
  readonly readyUrl: string
  /** Longest wait for that answer, in milliseconds. */
  readonly readyMs: number
  readonly signal: AbortSignal
}

/** How long an app may take to put its things away, in milliseconds; after that it is killed. */
const stopMs = 20_000

/** An app of the demo: its process, its log file, and its orderly end. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #logFile: string
  readonly #name: string

  private constructor(options: ChildOptions) {
    mkdirSync(options.logDir, { recursive: true, mode: 0o700 })
    this.#name = options.name
    this.#logFile = path.join(options.logDir, `${options.name}.log`)
    const log = openSync(this.#logFile, 'w', 0o600)
    // A group of its own: Ctrl-C at the terminal reaches us alone, and we end the apps in order.
    this.#process = spawn(process.execPath, options.args, {
      stdio: ['ignore', log, log],
      env: options.env,
      detached: true,
    })
    closeSync(log)
    this.#exited = once(this.#process, 'exit')
  }

  /**
   * Starts an app and waits until it answers.
   *
   * @throws {@link DemoError} with the end of the app's log when it ends early or does not answer in time.
   */
  static async start(options: ChildOptions): Promise<Child> {
    const child = new Child(options)
    const deadline = Date.now() + options.readyMs
    try {
      while (!(await answers(options.readyUrl))) {
        options.signal.throwIfAborted()
        if (child.#ended) throw new DemoError(`${options.name} stopped while starting:\n${child.#logTail()}`)
        if (Date.now() > deadline) {
          throw new DemoError(`${options.name} did not answer in ${options.readyMs / 1000} s:\n${child.#logTail()}`)
        }
        await delay(100)
      }
      return child
    } catch (error) {
      await child[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Settles with an explanation when the app ends on its own. */
  async ended(): Promise<string> {
    await this.#exited
    return `${this.#name} stopped:\n${this.#logTail()}`
  }

  get #ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  #logTail(): string {
    const lines = readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-15)
    return [...lines.map((line) => `  ${line}`), `  (${this.#logFile})`].join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return
    this.#process.kill('SIGTERM')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), stopMs)
    await this.#exited
    clearTimeout(timer)
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(2000) })
    await response.body?.cancel()
    return response.status < 500
  } catch {
    return false
  }
}
