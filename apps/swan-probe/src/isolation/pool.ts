import { ProbeError, type ProbeErrorCode } from '../errors.ts'
import { Helper } from './helper-process.ts'
import { mountOf, readMounts } from './mountinfo.ts'
import type { OperationName, Operations } from './operations/index.ts'
import { StuckMemory } from './stuck.ts'

/** Limits of one operation. */
export interface CallOptions {
  /** Path that decides which mount a child that cannot be killed is blamed on. */
  readonly path: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Children that touch file systems for the runner. Each does one operation at a time and is used again; one that
 * hangs is killed, and left alone if even that does not end it.
 */
export class HelperPool implements AsyncDisposable {
  readonly #idle: Helper[] = []
  readonly #busy = new Set<Helper>()
  readonly #stuck: StuckMemory

  constructor(options: { readonly stuck?: StuckMemory } = {}) {
    this.#stuck = options.stuck ?? new StuckMemory()
  }

  /** Starts the first helper ahead of its first use; settles when one is up. */
  async warm(): Promise<void> {
    if (this.#idle.length === 0 && this.#busy.size === 0) this.#idle.push(new Helper())
    await Promise.race([...this.#idle, ...this.#busy].map((helper) => helper.ready))
  }

  /** Process ids of the children that live now. */
  get pids(): readonly number[] {
    return [...this.#idle, ...this.#busy].map((helper) => helper.pid)
  }

  /**
   * Runs one operation in a child.
   *
   * @throws {@link ProbeError} `PROBE_TIMEOUT` at the limit, `PROBE_STUCK` when a child of an earlier probe or run still
   * hangs on the same mount, `PROBE_FILE` and others with the operation's own failure, the signal's reason on abort.
   */
  async run<O extends OperationName>(
    operation: O,
    input: Parameters<Operations[O]>[0],
    options: CallOptions,
  ): Promise<Awaited<ReturnType<Operations[O]>>> {
    options.signal.throwIfAborted()
    const mount = mountOf(options.path, readMounts())
    const stuck = mount === undefined ? undefined : this.#stuck.find(mount.device)
    if (stuck !== undefined) {
      throw new ProbeError(
        'PROBE_STUCK',
        `\`${stuck.mountPoint}\` is still stuck since ${stuck.since}: process ${stuck.pid} hangs in ${stuck.step} ` +
          'and cannot be killed; no second one was sent after it',
      )
    }
    const helper = this.#idle.pop() ?? new Helper()
    this.#busy.add(helper)
    const reply = await helper.ask({ operation, input }, options.timeoutMs, options.signal)
    this.#busy.delete(helper)
    switch (reply.kind) {
      case 'done':
        this.#idle.push(helper)
        return reply.output as Awaited<ReturnType<Operations[O]>>
      case 'failed':
        this.#idle.push(helper)
        throw failure(reply, options.path)
      case 'ended':
        throw new ProbeError('PROBE_CRASHED', `The child that did \`${operation}\` ended by itself (${reply.how})`)
      case 'given-up': {
        const ended = await helper.kill()
        if (!ended && mount !== undefined) {
          this.#stuck.remember({
            pid: helper.pid,
            device: mount.device,
            mountPoint: mount.mountPoint,
            step: reply.step,
            since: new Date().toISOString(),
          })
        }
        const where = `${reply.step} on \`${options.path}\` did not return`
        const stays = ended ? '' : `; process ${helper.pid} hangs there and cannot be killed`
        const { aborted, reason } = options.signal as { aborted: boolean; reason: unknown }
        // The probe's own limit says how long, the step says in what.
        if (aborted && reason instanceof ProbeError && reason.code === 'PROBE_TIMEOUT') {
          throw new ProbeError('PROBE_TIMEOUT', `${reason.message}: ${where}${stays}`)
        }
        if (aborted) throw reason
        throw new ProbeError('PROBE_TIMEOUT', `${where} within ${options.timeoutMs / 1000} s${stays}`)
      }
    }
  }

  /** Ends every child; does not wait for one that cannot be ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#idle, ...this.#busy].map((helper) => helper.kill()))
    this.#idle.length = 0
    this.#busy.clear()
  }
}

/** Errors that look alike in a shell and mean different repairs. */
const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTCONN: 'it is mounted but its file system process is gone (transport endpoint is not connected)',
  ESTALE: 'its file handle is stale: the server dropped what this machine had open',
  EIO: 'the file system reports an input/output error',
  EACCES: 'this user has no right to it',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the file system is full',
  EDQUOT: 'the quota is used up',
  EEXIST: 'something stands there already and was left alone',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links lead in a circle',
  ENOTEMPTY: 'the folder is not empty',
  ENODEV: 'its device is gone',
  EHOSTDOWN: 'its server is down',
  ETIMEDOUT: 'its server did not answer the kernel',
}

function failure(
  reply: { readonly code: string; readonly message: string; readonly errno: string | undefined },
  target: string,
): ProbeError {
  if (reply.errno === undefined) return new ProbeError(reply.code as ProbeErrorCode, reply.message)
  const call = /, (\w+)(?: |$)/.exec(reply.message)?.[1] ?? 'call'
  const meaning = meanings[reply.errno] ?? reply.message
  return new ProbeError('PROBE_FILE', `${call} on \`${target}\` failed with ${reply.errno}: ${meaning}`, {
    cause: reply.errno,
  })
}
