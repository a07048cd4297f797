import { SniffError } from './errors.ts'

/** The error for a key that is in use. */
export function taken(key: string, cause?: unknown): SniffError {
  return new SniffError('SNIFF_EXISTS', `Expected a free key, ${JSON.stringify(key)} is taken`, { cause })
}

/** The error for an object that is gone, or was replaced meanwhile. */
export function changed(key: string, cause?: unknown): SniffError {
  return new SniffError('SNIFF_NOT_FOUND', `Expected ${JSON.stringify(key)} to be there unchanged, it is not`, {
    cause,
  })
}

/** The error for an abort that the caller asked for. */
export function aborted(cause: unknown): SniffError {
  return new SniffError('SNIFF_ABORTED', 'Expected the upload to finish, its signal was aborted', { cause })
}

/** Turns an aborted signal into the package's own error. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason)
}

/** The error for anything that the store itself could not do. The cause may name paths or hosts, the message its code only. */
export function storeFailed(doing: string, cause: unknown): SniffError {
  const code = cause instanceof Error ? ` (${'code' in cause ? String(cause.code) : cause.name})` : ''
  return new SniffError('SNIFF_STORE_FAILED', `Expected the store to ${doing}, it failed${code}`, { cause })
}
