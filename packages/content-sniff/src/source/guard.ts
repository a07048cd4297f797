import { SniffError } from '../errors.ts'
import { aborted } from '../failures.ts'
import type { ByteStream } from './open.ts'
import { type Puller, pullerOf } from './puller.ts'

/** Limits on a source. */
export interface GuardOptions {
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly minBytesPerSecond: number
  readonly signal?: AbortSignal | undefined
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number
}

/**
 * Passes a source's chunks on within limits of size, idle time, rate and an abort signal.
 *
 * When a limit is broken the source is let go of first, so that a hanging peer cannot hold memory.
 */
export function guard(source: ByteStream, options: GuardOptions): AsyncIterableIterator<Uint8Array> {
  const puller = pullerOf(source)
  const watch = watchOver(options)
  const started = options.now()
  let total = 0
  let done = false

  const end = (): IteratorReturnResult<undefined> => {
    done = true
    watch.close()
    return { done: true, value: undefined }
  }
  const stop = (error: unknown): never => {
    end()
    puller.cancel(error)
    throw error
  }

  function check(chunk: unknown): Uint8Array {
    if (!(chunk instanceof Uint8Array))
      throw new TypeError(`Expected a stream of bytes, got a chunk of type ${typeof chunk}`)
    total += chunk.length
    if (total > options.maxBytes) {
      throw new SniffError('SNIFF_TOO_LARGE', `Expected at most ${options.maxBytes} bytes, the source has more`)
    }
    const elapsedMs = options.now() - started
    if (elapsedMs > options.idleTimeoutMs && total * 1000 < options.minBytesPerSecond * elapsedMs) {
      throw new SniffError(
        'SNIFF_SLOW_SOURCE',
        `Expected at least ${options.minBytesPerSecond} bytes a second, got ${Math.floor((total * 1000) / elapsedMs)}`,
      )
    }
    return chunk
  }

  return {
    async next() {
      if (done) return { done: true, value: undefined }
      try {
        const step = await watch.wait(puller.next)
        return step.done === true ? end() : { done: false, value: check(step.value) }
      } catch (error) {
        return stop(error)
      }
    },
    return() {
      if (!done) puller.cancel(undefined)
      return Promise.resolve(end())
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_TIMER_MS = 2 ** 31 - 1

interface Watch {
  /** The source's next step, or an error when the signal or the idle time is first. */
  readonly wait: (next: Puller['next']) => Promise<IteratorResult<unknown>>
  readonly close: () => void
}

/** One timer and one listener for all of a source's chunks: thousands of them would cost more than the rest of the way. */
function watchOver({ idleTimeoutMs, signal }: GuardOptions): Watch {
  let fail: ((error: SniffError) => void) | undefined
  const onAbort = (): void => fail?.(aborted(signal?.reason))
  const onIdle = (): void =>
    fail?.(new SniffError('SNIFF_IDLE_SOURCE', `Expected the next bytes within ${idleTimeoutMs} ms, none came`))
  signal?.addEventListener('abort', onAbort, { once: true })
  const limited = idleTimeoutMs > 0 && Number.isFinite(idleTimeoutMs)
  // A longer time would make the timer go off at once; this one is three weeks.
  const waitMs = Math.min(idleTimeoutMs, LONGEST_TIMER_MS)
  let timer: NodeJS.Timeout | undefined

  return {
    wait: async (next) => {
      if (signal?.aborted === true) throw aborted(signal.reason)
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<unknown>>()
      // Whatever goes off while nobody waits for the source is not the source's fault.
      fail = reject
      if (timer !== undefined) timer.refresh()
      else if (limited) timer = setTimeout(onIdle, waitMs)
      next().then(resolve, (cause: unknown) => {
        reject(
          cause instanceof SniffError
            ? cause
            : new SniffError('SNIFF_SOURCE_FAILED', 'Expected the source to reach its end, it failed before', {
                cause,
              }),
        )
      })
      const step = await promise
      fail = undefined
      return step
    },
    close: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}
