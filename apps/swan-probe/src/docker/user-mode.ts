import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import type { Entry } from '../config/config.ts'
import { messageOf, ProbeError, type ProbeErrorCode } from '../errors.ts'
import type { Group } from '../probes/probe.ts'
import { containerName } from '../probes/jupyterhub-api/container-name.ts'
import type { ProbeResult, Report } from '../runner/result.ts'
import type { RunListener } from '../runner/listener.ts'
import { type RunOptions, runProbes } from '../runner/run.ts'
import { type Conversation, Engine, type ExecResult } from './engine.ts'
import { insideWord } from './inside-word.ts'
import { type InsideMessage, toMessage } from './messages.ts'
import { readReport } from './read-report.ts'
import { packTar } from './tar.ts'

/** Where the original runs each group in user mode. The engine's socket is on the host, so user_docker stays there. */
const placeOf: Readonly<Record<Group, 'session' | 'hub' | 'host'>> = {
  storage: 'session',
  cvmfs: 'session',
  jupyterhub_api: 'hub',
  database: 'hub',
  user_docker: 'host',
}

/** Name that the original knows the hub's container by. */
const HUB_CONTAINER = 'jupyterhub'

/** Oldest Node that runs the bundle: it brings `node:sqlite`. */
const oldestNode = [22, 13] as const

/** Time that a run in a container gets to end in order after an interrupt, in milliseconds. */
const lastWordsMs = 10_000

/** Output of a run in a container that is read, in bytes: its user may write without end. */
const largestOutput = 32 * 1024 * 1024

/** Options of {@link runInContainer}. */
export interface UserModeOptions extends RunOptions {
  readonly engine?: Engine
  /** The whole program as one file. */
  readonly bundle?: string
  /** Container of the hub. @default 'jupyterhub' */
  readonly hubContainer?: string
}

/** Runs probes where their users are: in the session's container, and in the hub's. */
export async function runInContainer(
  entries: readonly Entry[],
  session: string,
  options: UserModeOptions = {},
): Promise<Report> {
  const engine = options.engine ?? new Engine()
  const limits = options.deadlineSeconds === undefined ? [] : [AbortSignal.timeout(options.deadlineSeconds * 1000)]
  const signal = AbortSignal.any([...(options.signal === undefined ? [] : [options.signal]), ...limits])
  const at = (place: 'session' | 'hub' | 'host') => entries.filter((entry) => placeOf[entry.probe.group] === place)
  const inside = async (place: 'session' | 'hub', container: () => Promise<string>, user: string | undefined) => {
    const chosen = at(place)
    if (chosen.length === 0) return undefined
    try {
      return await new Visit(engine, await container(), user, { ...options, signal }).run(chosen)
    } catch (error) {
      if (error instanceof ProbeError && error.code === 'PROBE_USAGE') throw error
      return failedReport(chosen, error)
    }
  }
  const reports = await Promise.all([
    inside('session', () => sessionContainer(engine, session, signal), session),
    inside('hub', () => Promise.resolve(options.hubContainer ?? HUB_CONTAINER), undefined),
    at('host').length === 0 ? undefined : runProbes(at('host'), options),
  ])
  return merge(
    entries,
    reports.filter((report) => report !== undefined),
  )
}

/** The original writes the name as it is, dockerspawner escapes it; both are looked for. */
async function sessionContainer(engine: Engine, session: string, signal: AbortSignal): Promise<string> {
  const names = [`jupyter-${session}`, containerName(session)]
  for (const name of names) {
    try {
      await engine.inspect(name, signal)
      return name
    } catch (error) {
      const last = name === names.at(-1)
      if (last || !(error instanceof ProbeError) || error.code !== 'PROBE_CONTAINER_MISSING') throw error
    }
  }
  return containerName(session)
}

/** One stay in one container: bring the bundle, run it, take everything away. */
class Visit {
  readonly #engine: Engine
  readonly #container: string
  readonly #user: string | undefined
  readonly #options: UserModeOptions
  readonly #name = `swan-probe-${randomBytes(8).toString('hex')}`
  readonly #folder = path.posix.join('/tmp', this.#name)

  constructor(engine: Engine, container: string, user: string | undefined, options: UserModeOptions) {
    this.#engine = engine
    this.#container = container
    this.#user = user
    this.#options = options
  }

  async run(entries: readonly Entry[]): Promise<Report> {
    const signal = this.#options.signal ?? new AbortController().signal
    const state = await this.#engine.inspect(this.#container, signal)
    if (!state.running || state.paused) {
      throw new ProbeError('PROBE_CONTAINER_STATE', `The container \`${this.#container}\` is ${state.status}`)
    }
    const own = await this.#ownNode(signal)
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
      await this.#engine.putArchive(this.#container, '/tmp', archive, signal)
      return await this.#talk(node, entries)
    } finally {
      await this.#remove(node)
    }
  }

  /** Tells whether the container has a Node that runs the bundle. */
  async #ownNode(signal: AbortSignal): Promise<boolean> {
    const { exitCode, stdout } = await this.#engine.exec(this.#container, { command: ['node', '--version'], signal })
    const [major = 0, minor = 0] = stdout.toString('latin1').replace('v', '').split('.').map(Number)
    return exitCode === 0 && (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]))
  }

  async #talk(node: string, entries: readonly Entry[]): Promise<Report> {
    const { signal, listener } = this.#options
    const over = new AbortController()
    const command = [node, '--disable-warning=ExperimentalWarning', `${this.#folder}/swan-probe.mjs`, insideWord]
    const conversation = await this.#start(command, over.signal)
    let timer: NodeJS.Timeout | undefined
    const stop = () => {
      conversation.input.end()
      timer = setTimeout(
        () => conversation.input.destroy(new Error('the run in the container did not end')),
        lastWordsMs,
      )
    }
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop)
    conversation.input.write(`${JSON.stringify(entries.map(toMessage))}\n`)
    try {
      return await listen(conversation, listener, entries)
    } catch (error) {
      if (error instanceof ProbeError) throw error
      throw new ProbeError('PROBE_CONTAINER_EXEC', `In \`${this.#container}\`: ${messageOf(error)}`, { cause: error })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      conversation.input.destroy()
      over.abort()
    }
  }

  /** Starts as the session's user, whose rights are what counts; a container without that user has another one. */
  async #start(command: readonly string[], signal: AbortSignal): Promise<Conversation> {
    const user = this.#user
    if (user === undefined) return this.#engine.talk(this.#container, { command, signal })
    const known = await this.#engine.exec(this.#container, { command: ['true'], user, signal }).then(
      ({ stdout, stderr }) => !/unable to find user/.test(`${stdout.toString('utf8')}${stderr.toString('utf8')}`),
      (error: unknown) => {
        if (/unable to find user/.test(messageOf(error))) return false
        throw error
      },
    )
    return this.#engine.talk(this.#container, { command, signal, ...(known ? { user } : {}) })
  }

  /**
   * As root, since the folder is root's; by a full path, since what the session's user put first on the PATH must not run
   * as root. Where there is no such program, the Node that was brought does it.
   */
  async #remove(node: string): Promise<void> {
    const script = 'fs.rmSync(process.argv[1], { recursive: true, force: true })'
    const ways = [
      ['/bin/rm', '-rf', this.#folder],
      [node, '-e', script, this.#folder],
    ]
    let { exitCode, stderr } = await this.#asRoot(ways[0]!)
    if (exitCode === 126 || exitCode === 127) ({ exitCode, stderr } = await this.#asRoot(ways[1]!))
    if (exitCode !== 0) {
      throw new ProbeError(
        'PROBE_CONTAINER_EXEC',
        `\`${this.#folder}\` in \`${this.#container}\` could not be removed: ${stderr.toString('utf8').trim()}`,
      )
    }
  }

  #asRoot(command: readonly string[]): Promise<ExecResult> {
    return this.#engine.exec(this.#container, { command, user: '0', signal: AbortSignal.timeout(lastWordsMs) })
  }
}

async function listen(
  conversation: Conversation,
  listener: RunListener | undefined,
  entries: readonly Entry[],
): Promise<Report> {
  let read = 0
  let waiting = ''
  let errors = ''
  let report: Report | undefined
  for await (const { stream, bytes } of conversation.output) {
    read += bytes.length
    if (read > largestOutput)
      throw new ProbeError('PROBE_CONTAINER_EXEC', 'The run in the container writes without end')
    if (stream === 'stderr') {
      errors += bytes.toString('utf8')
      continue
    }
    waiting += bytes.toString('utf8')
    const lines = waiting.split('\n')
    waiting = lines.pop() ?? ''
    for (const line of lines) {
      // What is not ours comes from the engine, which tells on this stream why a command did not start.
      if (!line.startsWith('{')) {
        errors += `${line}\n`
        continue
      }
      const message = JSON.parse(line) as InsideMessage
      if (message.kind === 'started') listener?.started?.(message.id)
      else if (message.kind === 'line') listener?.line?.(message.id, message.line)
      else report = readReport(message.report, entries)
    }
  }
  if (report === undefined) {
    const code = await conversation.exitCode()
    throw new ProbeError(
      'PROBE_CONTAINER_EXEC',
      `The run in the container ended with ${code} and no report: ${messageOf(`${errors}${waiting}`.trim())}`,
    )
  }
  for (const result of report.results) listener?.finished?.(result)
  return report
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

/** Every probe of a container that could not be visited fails for the same reason. */
function failedReport(entries: readonly Entry[], error: unknown): Report {
  const now = Date.now()
  const code: ProbeErrorCode = error instanceof ProbeError ? error.code : 'PROBE_CRASHED'
  const results = entries.map(({ probe }): ProbeResult => ({
    id: probe.id,
    group: probe.group,
    name: probe.name,
    status: error instanceof ProbeError ? 'fail' : 'error',
    code,
    message: messageOf(error),
    startedAt: now,
    endedAt: now,
    seconds: 0,
    metrics: [],
    samples: {},
    lines: [],
    left: [],
  }))
  return { runId: '', host: '', startedAt: now, seconds: 0, cut: false, results }
}

/** Puts the reports of all places together, in the order of the file. */
function merge(entries: readonly Entry[], reports: readonly Report[]): Report {
  const byId = new Map(reports.flatMap((report) => report.results).map((result) => [result.id, result]))
  return {
    runId: reports.find((report) => report.runId !== '')?.runId ?? '',
    host: [...new Set(reports.map((report) => report.host).filter((host) => host !== ''))].join(', '),
    startedAt: Math.min(...reports.map((report) => report.startedAt)),
    seconds: Math.max(...reports.map((report) => report.seconds)),
    cut: reports.some((report) => report.cut),
    results: entries.flatMap((entry) => byId.get(entry.probe.id) ?? []),
  }
}
