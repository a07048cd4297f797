import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import type { Entry } from '../config/config.ts'
import { messageOf, ProbeError } from '../errors.ts'
import type { RunListener } from '../runner/listener.ts'
import type { Report } from '../runner/result.ts'
import type { Conversation, Engine } from './engine.ts'
import { insideWord } from './inside-word.ts'
import { type Heard, listen } from './listen.ts'
import { toMessage } from './messages.ts'
import { packTar } from './tar.ts'

/** Oldest Node that runs the bundle: it brings `node:sqlite`. */
const oldestNode = [22, 13] as const

/** Time that a run in a container gets to end in order after an interrupt, in milliseconds. */
const lastWordsMs = 10_000

/** Time for putting away in a container that answers no more, in milliseconds. */
const hurriedMs = 1000

/** Limit of one small command before the run, in milliseconds. */
const stepMs = 10_000

/** Limit of bringing the bundle, and a Node of a hundred megabytes where there is none, in milliseconds. */
const uploadMs = 60_000

interface VisitOptions {
  readonly signal: AbortSignal
  readonly listener?: RunListener | undefined
  /** The whole program as one file. */
  readonly bundle?: string | undefined
}

/** One stay in one container: bring the bundle, run it, take everything away. */
export class Visit {
  readonly #engine: Engine
  readonly #container: string
  readonly #user: string | undefined
  readonly #options: VisitOptions
  readonly #name = `swan-probe-${randomBytes(8).toString('hex')}`
  readonly #folder = path.posix.join('/tmp', this.#name)

  constructor(engine: Engine, container: string, user: string | undefined, options: VisitOptions) {
    this.#engine = engine
    this.#container = container
    this.#user = user
    this.#options = options
  }

  /**
   * Runs probes in the container; is over soon after their limits even if it freezes.
   *
   * @throws {@link ProbeError} when there is no report; what is known by then is one.
   */
  async run(entries: readonly Entry[]): Promise<Report> {
    const { signal } = this.#options
    const state = await this.#engine.inspect(this.#container, signal)
    if (!state.running || state.paused) {
      throw new ProbeError('PROBE_CONTAINER_STATE', `The container \`${this.#container}\` is ${state.status}`)
    }
    const own = await this.#ownNode()
    const bundle = readBundle(this.#options.bundle ?? bundleFile())
    const file = (name: string, mode: number, content: Uint8Array | undefined) => ({
      name: `${this.#name}/${name}`,
      mode,
      content,
    })
    const brought = own ? [] : [file('node', 0o755, readFileSync(process.execPath))]
    const archive = packTar([file('', 0o755, undefined), file('swan-probe.mjs', 0o644, bundle), ...brought])
    const node = own ? 'node' : `${this.#folder}/node`
    try {
      await this.#engine.putArchive(this.#container, '/tmp', archive, this.#within(uploadMs))
      const { report, silent } = await this.#talk(node, entries)
      const left = await this.#leftBehind(node, silent ? hurriedMs : lastWordsMs)
      return left === undefined ? report : blame(report, left)
    } catch (error) {
      const left = await this.#leftBehind(node, hurriedMs)
      if (left === undefined || !(error instanceof ProbeError)) throw error
      throw new ProbeError(error.code, `${error.message}; left behind: ${left}`, { cause: error })
    }
  }

  /** Tells whether the container has a Node that runs the bundle. */
  async #ownNode(): Promise<boolean> {
    const command = ['node', '--version']
    const { exitCode, stdout } = await this.#engine.exec(this.#container, { command, signal: this.#within(stepMs) })
    const [major = 0, minor = 0] = stdout.toString('latin1').replace('v', '').split('.').map(Number)
    return exitCode === 0 && (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]))
  }

  async #talk(node: string, entries: readonly Entry[]): Promise<Heard> {
    const { signal, listener } = this.#options
    const over = new AbortController()
    const command = [node, '--disable-warning=ExperimentalWarning', `${this.#folder}/swan-probe.mjs`, insideWord]
    const conversation = await this.#start(command, over.signal)
    // Nobody listens any more: the run inside then ends in order.
    const stop = () => conversation.input.end()
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    conversation.input.write(`${JSON.stringify(entries.map(toMessage))}\n`)
    try {
      return await listen(conversation, entries, { listener, signal })
    } catch (error) {
      if (error instanceof ProbeError) throw error
      throw new ProbeError('PROBE_CONTAINER_EXEC', `In \`${this.#container}\`: ${messageOf(error)}`, { cause: error })
    } finally {
      signal.removeEventListener('abort', stop)
      conversation.input.destroy()
      over.abort()
    }
  }

  /** Starts as the session's user, whose rights are what counts; a container without that user has another one. */
  async #start(command: readonly string[], signal: AbortSignal): Promise<Conversation> {
    const user = this.#user
    if (user === undefined) return this.#engine.talk(this.#container, { command, signal })
    const tried = { command: ['true'], user, signal: this.#within(stepMs) }
    const known = await this.#engine.exec(this.#container, tried).then(
      ({ stdout, stderr }) => !/unable to find user/.test(`${stdout.toString('utf8')}${stderr.toString('utf8')}`),
      (error: unknown) => {
        if (/unable to find user/.test(messageOf(error))) return false
        throw error
      },
    )
    return this.#engine.talk(this.#container, { command, signal, ...(known ? { user } : {}) })
  }

  /**
   * Takes the folder away. As root, since it is root's; by a full path, since what the session's user put first on the
   * PATH must not run as root. Where there is no such program, the Node that was brought does it.
   *
   * @returns what is left behind and why, `undefined` when nothing is.
   */
  async #leftBehind(node: string, limitMs: number): Promise<string | undefined> {
    const script = 'fs.rmSync(process.argv[1], { recursive: true, force: true })'
    const asRoot = (command: readonly string[]) =>
      this.#engine.exec(this.#container, { command, user: '0', signal: AbortSignal.timeout(limitMs) })
    try {
      let { exitCode, stderr } = await asRoot(['/bin/rm', '-rf', this.#folder])
      if (exitCode === 126 || exitCode === 127) {
        ;({ exitCode, stderr } = await asRoot([node, '-e', script, this.#folder]))
      }
      return exitCode === 0 ? undefined : `${this.#place} (${stderr.toString('utf8').trim()})`
    } catch (error) {
      return `${this.#place} (${messageOf(error)})`
    }
  }

  get #place(): string {
    return `\`${this.#folder}\` in \`${this.#container}\``
  }

  /** The run's signal with a limit of its own: a frozen container answers no question. */
  #within(limitMs: number): AbortSignal {
    return AbortSignal.any([this.#options.signal, AbortSignal.timeout(limitMs)])
  }
}

/** What could not be put away is told by the first probe. */
function blame(report: Report, left: string): Report {
  const results = report.results.map((result, index) =>
    index === 0 ? { ...result, left: [...result.left, left] } : result,
  )
  return { ...report, results }
}

/** This program as one file: itself when it is the bundle, else what `pnpm build` made beside the sources. */
function bundleFile(): string {
  const here = import.meta.filename
  return here.endsWith('.ts') ? path.join(import.meta.dirname, '../../dist/swan-probe.mjs') : here
}

function readBundle(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new ProbeError('PROBE_USAGE', `User mode carries \`${file}\` into the container; make it with: pnpm build`, {
      cause: error,
    })
  }
}
