import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'

import { type Reply, type Request, helperWord } from './protocol.ts'

/** How a request ended. */
export type Outcome =
  | Extract<Reply, { kind: 'done' | 'failed' }>
  | { readonly kind: 'given-up'; readonly step: string }
  | { readonly kind: 'ended'; readonly how: string }

// In the bundle everything is one file, whose main takes the word; from sources the helper has a smaller main.
const entry = import.meta.filename.endsWith('.ts')
  ? path.join(import.meta.dirname, 'helper-main.ts')
  : import.meta.filename

/** How long a killed child may take to be gone before it counts as unkillable, in milliseconds. */
const killMs = 250

/** The runner's side of one child. */
export class Helper {
  readonly #child: ChildProcess
  readonly #exited: Promise<string>
  readonly #ready: Promise<unknown>
  #asked = false

  constructor() {
    // Nothing inherited: a stuck child would hold the caller's pipe open for ever. No environment either, it may carry
    // tokens, and /proc shows it.
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, helperWord], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: {},
      cwd: '/',
    })
    const { promise, resolve } = Promise.withResolvers<string>()
    this.#exited = promise
    this.#child.on('exit', (code, signal) => resolve(signal ?? `code ${code}`))
    this.#child.on('error', (error) => resolve(error.message))
    const { promise: ready, resolve: isReady } = Promise.withResolvers<unknown>()
    this.#child.once('message', isReady)
    this.#ready = Promise.race([ready, this.#exited])
    void this.#ready.then(() => {
      if (!this.#asked) this.#rest()
    })
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** Settles when the child takes requests, or is gone. */
  get ready(): Promise<unknown> {
    return this.#ready
  }

  /**
   * Sends a request and waits for its end, the limit or the signal, whatever comes first. Never rejects.
   *
   * The limit begins when the child is up: its start is no property of what it is sent to look at.
   */
  async ask(request: Request, timeoutMs: number, signal: AbortSignal): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    let step = 'start'
    this.#asked = true
    const onMessage = (reply: Reply) => {
      if (reply.kind === 'step') step = reply.step
      else if (reply.kind !== 'ready') resolve(reply)
    }
    const giveUp = () => resolve({ kind: 'given-up', step })
    signal.addEventListener('abort', giveUp)
    this.#child.on('message', onMessage)
    void this.#exited.then((how) => resolve({ kind: 'ended', how }))
    this.#child.ref()
    this.#child.channel?.ref()
    await Promise.race([this.#ready, promise])
    const timer = setTimeout(giveUp, timeoutMs)
    this.#child.send(request, (error) => {
      if (error !== null) resolve({ kind: 'ended', how: error.message })
    })
    const outcome = await promise
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    this.#child.off('message', onMessage)
    this.#asked = false
    this.#rest()
    return outcome
  }

  /** Kills the child and lets go of it. Tells whether it is gone; one inside the kernel may not be. */
  async kill(): Promise<boolean> {
    this.#child.kill('SIGKILL')
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => resolve(false), killMs)
    void this.#exited.then(() => resolve(true))
    const gone = await promise
    clearTimeout(timer)
    if (this.#child.connected) this.#child.disconnect()
    this.#rest()
    return gone
  }

  /** A waiting child must not keep the runner alive. */
  #rest(): void {
    this.#child.unref()
    this.#child.channel?.unref()
  }
}
