import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex, Writable } from 'node:stream'

import { builtinHttp } from '../builtin-http.ts'
import { messageOf, ProbeError } from '../errors.ts'

/** State of a container. */
export interface ContainerState {
  readonly id: string
  readonly running: boolean
  readonly paused: boolean
  /** Verdict of the image's own health check, `undefined` when it has none. */
  readonly health: string | undefined
  readonly status: string
  readonly user: string
}

/** How a command in a container ended. */
export interface ExecResult {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: Buffer
}

/** A piece of a command's output. */
interface Frame {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

/** A command that runs in a container. */
export interface Conversation {
  readonly input: Writable
  readonly output: AsyncIterable<Frame>
  /** Asks for the exit code; for after the end of the output. */
  exitCode(): Promise<number>
}

interface ExecOptions {
  readonly command: readonly string[]
  readonly user?: string
  readonly signal: AbortSignal
}

/** Output of a command that is kept, in bytes for each stream. */
const largestOutput = 16 * 1024 * 1024

/** Limit of one question to the engine, in milliseconds; a command's own run is bounded by its signal. */
const answerMs = 10_000

/**
 * The few calls of the Docker engine's HTTP interface that probes need, on its Unix socket.
 *
 * Its own hundred lines instead of a client library: the usual one takes longer to load than all other probes to run,
 * and cannot be bundled into one file.
 *
 * @see https://docs.docker.com/reference/api/engine/version/v1.41/
 */
export class Engine {
  readonly #socketPath: string

  constructor(socketPath: string = defaultSocket()) {
    this.#socketPath = socketPath
  }

  /**
   * Looks at one container, by its exact name or id.
   *
   * @throws {@link ProbeError} `PROBE_CONTAINER_MISSING`, `PROBE_DOCKER_UNREACHABLE`.
   */
  async inspect(name: string, signal: AbortSignal): Promise<ContainerState> {
    const model = (await this.#json('GET', `/containers/${encodeURIComponent(name)}/json`, signal, name)) as {
      Id: string
      Name: string
      State: { Running: boolean; Paused: boolean; Status: string; Health?: { Status: string } }
      Config: { User: string }
    }
    // The engine also takes the beginning of an id for a name.
    if (model.Name !== `/${name}` && model.Id !== name) throw missing(name)
    return {
      id: model.Id,
      running: model.State.Running,
      paused: model.State.Paused,
      status: model.State.Status,
      health: model.State.Health?.Status,
      user: model.Config.User,
    }
  }

  /**
   * Runs a command in a container and waits for its end. On abort the wait ends; the command may go on.
   *
   * @throws {@link ProbeError} `PROBE_CONTAINER_STATE` when the container is paused or stopped.
   */
  async exec(container: string, options: ExecOptions): Promise<ExecResult> {
    const body = execBody(options)
    const path = `/containers/${encodeURIComponent(container)}/exec`
    const { Id: id } = (await this.#json('POST', path, options.signal, container, body)) as { Id: string }
    const response = await this.#send('POST', `/exec/${id}/start`, { Detach: false, Tty: false }, options.signal)
    if (response.statusCode !== 200) throw await refusal(response, container)
    const output = await demultiplex(response, options.signal).catch((error: unknown) => {
      const { aborted, reason } = options.signal as { aborted: boolean; reason: unknown }
      if (!aborted || reason instanceof ProbeError) throw aborted ? reason : error
      throw new ProbeError('PROBE_TIMEOUT', `\`${options.command.join(' ')}\` in \`${container}\` does not end`)
    })
    const { ExitCode: exitCode } = (await this.#json('GET', `/exec/${id}/json`, options.signal, container)) as {
      ExitCode: number | null
    }
    return { ...output, exitCode: exitCode ?? -1 }
  }

  /**
   * Starts a command that is spoken to while it runs. Ending the input tells it that nobody listens any more.
   *
   * @throws {@link ProbeError} `PROBE_CONTAINER_STATE`, `PROBE_CONTAINER_EXEC` when it cannot be started.
   */
  async talk(container: string, options: ExecOptions): Promise<Conversation> {
    const body = { AttachStdin: true, ...execBody(options) }
    const path = `/containers/${encodeURIComponent(container)}/exec`
    const { Id: id } = (await this.#json('POST', path, options.signal, container, body)) as { Id: string }
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
    builtinHttp()
      .request({
        socketPath: this.#socketPath,
        method: 'POST',
        path: `/exec/${id}/start`,
        agent: false,
        // Only until the answer: what is upgraded is out of its reach.
        signal: AbortSignal.any([options.signal, AbortSignal.timeout(answerMs)]),
        headers: { host: 'docker', 'content-type': 'application/json', connection: 'Upgrade', upgrade: 'tcp' },
      })
      .on('upgrade', (_, socket, head) => {
        socket.unshift(head)
        resolve(socket)
      })
      .on('response', (response) => void refusal(response, container).then(reject))
      .on('error', (error) => reject(this.#unusable(error)))
      .end(JSON.stringify({ Detach: false, Tty: false }))
    const socket = await promise
    const exitCode = async () => {
      const state = (await this.#json('GET', `/exec/${id}/json`, options.signal, container)) as {
        ExitCode: number | null
      }
      return state.ExitCode ?? -1
    }
    return { input: socket, output: frames(socket), exitCode }
  }

  /** Unpacks a tar archive in a folder of a container. */
  async putArchive(
    container: string,
    folder: string,
    archive: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `/containers/${encodeURIComponent(container)}/archive?path=${encodeURIComponent(folder)}`
    const response = await this.#send('PUT', path, archive, signal)
    if (response.statusCode !== 200) throw await refusal(response, container)
    response.resume()
  }

  async #json(method: string, path: string, signal: AbortSignal, container: string, body?: unknown): Promise<unknown> {
    const limit = AbortSignal.timeout(answerMs)
    const response = await this.#send(method, path, body, AbortSignal.any([signal, limit]))
    if ((response.statusCode ?? 0) >= 300) throw await refusal(response, container)
    return JSON.parse(await textOf(response)) as unknown
  }

  async #send(method: string, path: string, body: unknown, signal: AbortSignal): Promise<IncomingMessage> {
    const stream = typeof body === 'object' && body !== null && Symbol.asyncIterator in body
    const outgoing = builtinHttp().request({
      socketPath: this.#socketPath,
      method,
      path,
      signal,
      agent: false,
      headers: { host: 'docker', 'content-type': stream ? 'application/x-tar' : 'application/json' },
    })
    try {
      const answered = once(outgoing, 'response', { signal })
      if (stream) {
        answered.catch(() => {})
        for await (const chunk of body as AsyncIterable<Uint8Array>) {
          if (!outgoing.write(chunk)) await once(outgoing, 'drain', { signal })
        }
        outgoing.end()
      } else {
        outgoing.end(body === undefined ? undefined : JSON.stringify(body))
      }
      const [response] = (await answered) as [IncomingMessage]
      return response
    } catch (error) {
      outgoing.on('error', () => {}).destroy()
      if (signal.aborted && signal.reason instanceof ProbeError) throw signal.reason
      throw this.#unusable(error)
    }
  }

  #unusable(error: unknown): ProbeError {
    const message = `The Docker engine on \`${this.#socketPath}\` ${why(error)}`
    return new ProbeError('PROBE_DOCKER_UNREACHABLE', message, { cause: error })
  }
}

function defaultSocket(): string {
  const host = process.env['DOCKER_HOST'] ?? ''
  return host.startsWith('unix://') ? host.slice('unix://'.length) : '/var/run/docker.sock'
}

function why(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'does not exist'
  if (code === 'EACCES') return 'may not be used by this user'
  if (code === 'ECONNREFUSED') return 'refuses connections'
  if (name === 'AbortError' || name === 'TimeoutError') return 'does not answer'
  return `cannot be used: ${messageOf(error)}`
}

const missing = (container: string): ProbeError =>
  new ProbeError('PROBE_CONTAINER_MISSING', `There is no container \`${container}\``)

async function refusal(response: IncomingMessage, container: string): Promise<ProbeError> {
  const text = await textOf(response)
  const words = messageIn(text)
  if (response.statusCode === 404) return missing(container)
  if (response.statusCode === 409) {
    return new ProbeError('PROBE_CONTAINER_STATE', `The container \`${container}\` takes no command: ${words}`)
  }
  return new ProbeError('PROBE_DOCKER_UNREACHABLE', `The Docker engine answered ${response.statusCode}: ${words}`)
}

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text
  } catch {
    return text
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return text
}

const execBody = (options: ExecOptions) => ({
  AttachStdout: true,
  AttachStderr: true,
  Cmd: options.command,
  ...(options.user === undefined ? {} : { User: options.user }),
})

/** Collects both outputs of a command. */
async function demultiplex(
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<{ readonly stdout: Buffer; readonly stderr: Buffer }> {
  const stop = () => response.destroy(signal.reason as Error)
  signal.addEventListener('abort', stop)
  const parts: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = { stdout: [], stderr: [] }
  let kept = 0
  try {
    for await (const { stream, bytes } of frames(response)) {
      kept += bytes.length
      if (kept <= largestOutput) parts[stream].push(bytes)
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) }
}

/**
 * Takes apart the stream in which the engine mixes both outputs: 8 bytes of header, the first of them the stream, the
 * last four the length.
 *
 * @see https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
 */
async function* frames(source: AsyncIterable<unknown>): AsyncGenerator<Frame> {
  let waiting = Buffer.alloc(0)
  for await (const chunk of source) {
    waiting = Buffer.concat([waiting, chunk as Buffer])
    while (waiting.length >= 8 && waiting.length >= 8 + waiting.readUInt32BE(4)) {
      const end = 8 + waiting.readUInt32BE(4)
      yield { stream: waiting[0] === 2 ? 'stderr' : 'stdout', bytes: waiting.subarray(8, end) }
      waiting = waiting.subarray(end)
    }
  }
}
