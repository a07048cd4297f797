import { HubError } from '../errors.ts'

/** Longest wait for one answer of a container engine, in milliseconds: making a container may copy a home folder. */
const CALL_MS = 30_000

/** How long one call may take, and what else ends it. */
interface CallLimits {
  readonly limitMs?: number
  /** What the engine itself waits for, on top of the limit. */
  readonly graceMs?: number
  /** Its reason is what the call fails with. */
  readonly signal?: AbortSignal
}

/** Asks a container engine: the call gets a signal that ends it. */
export type AskEngine = <Result>(
  call: (abortSignal: AbortSignal) => Promise<Result>,
  limits?: CallLimits,
) => Promise<Result>

/**
 * Makes sure that each call of a container engine comes to an end; dockerode waits for ever on one that hangs.
 *
 * The returned function throws {@link HubError} `HUB_ENGINE_TIMEOUT` when the engine does not answer in time. What it
 * was asked for may happen all the same.
 */
export function engineCalls(defaultMs: number = CALL_MS): AskEngine {
  return async (call, { limitMs = defaultMs, graceMs = 0, signal } = {}) => {
    signal?.throwIfAborted()
    const withinMs = limitMs + graceMs
    const ending = new AbortController()
    const { promise: ended, reject } = Promise.withResolvers<never>()
    const end = (reason: unknown) => {
      reject(reason)
      ending.abort(reason)
    }
    const timer = setTimeout(() => {
      end(new HubError('HUB_ENGINE_TIMEOUT', `The container engine did not answer within ${withinMs / 1000} s`))
    }, withinMs)
    const give = () => end(signal?.reason)
    signal?.addEventListener('abort', give)
    try {
      // Not every call heeds its signal, and what one fails with then says nothing.
      return await Promise.race([call(ending.signal), ended])
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', give)
    }
  }
}

/** Whether an engine did not answer in time. */
export function isEngineTimeout(error: unknown): boolean {
  return error instanceof HubError && error.code === 'HUB_ENGINE_TIMEOUT'
}
