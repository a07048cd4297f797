import { ContainerPgError } from '../errors.ts'

const UNREACHABLE = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES', 'EPERM', 'ENOTFOUND', 'EHOSTUNREACH'])
const CUT = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ERR_STREAM_PREMATURE_CLOSE'])

/** An image that the engine does not have. */
export function imageMissing(name: string, cause?: unknown): ContainerPgError {
  return new ContainerPgError('IMAGE_MISSING', `The engine has no image ${name}`, {
    remedy: `Fetch it first, for example with: docker pull ${name}`,
    cause,
  })
}

/** HTTP status of an answer that dockerode turned into an error. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode
  return typeof status === 'number' ? status : undefined
}

/** Tells whether the connection broke or the deadline passed, so that nobody knows what the engine did. */
export function isTransportError(error: unknown): boolean {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return (typeof code === 'string' && CUT.has(code)) || name === 'AbortError' || name === 'TimeoutError'
}

/**
 * Turns what went wrong while speaking to the engine into an error of ours.
 *
 * @param what - What was tried, such as `start a container`.
 * @param deadlineMs - The deadline, when it has passed.
 */
export function translate(error: unknown, what: string, deadlineMs: number | undefined): ContainerPgError {
  if (error instanceof ContainerPgError) return error
  if (deadlineMs !== undefined) {
    return new ContainerPgError('ENGINE_TIMEOUT', `The container engine did not ${what} within ${deadlineMs} ms`, {
      remedy: 'See whether the engine answers `docker version`.',
      cause: error,
    })
  }
  const code = (error as { code?: unknown })?.code
  if (typeof code === 'string' && (UNREACHABLE.has(code) || CUT.has(code))) {
    return new ContainerPgError('ENGINE_UNREACHABLE', `The container engine could not be asked to ${what} (${code})`, {
      remedy: 'Start the engine, and let this user reach its socket.',
      cause: error,
    })
  }
  const message = error instanceof Error ? error.message.trim() : String(error)
  return new ContainerPgError('ENGINE_FAILED', `The container engine refused to ${what}: ${message}`, { cause: error })
}
