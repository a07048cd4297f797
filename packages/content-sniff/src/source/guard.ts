import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'

import { SniffError } from '../errors.ts'
import { aborted } from '../failures.ts'
import type { ByteStream } from './open.ts'

/** Limits on a source. */
export interface GuardOptions {
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly minBytesPerSecond: number
  readonly signal?: AbortSignal | undefined
  /** Monotonic clock, in milliseconds. */
  readonly now: () => number
}

interface Puller {
  readonly next: () => Promise<IteratorResult<unknown>>
  /** Lets go of the source at once, even while a read hangs. */
  readonly cancel: (reason: unknown) => void
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
  let timer: NodeJS.Timeout | undefined

  return {
    wait: async (next) => {
      if (signal?.aborted === true) throw aborted(signal.reason)
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<unknown>>()
      // Whatever goes off while nobody waits for the source is not the source's fault.
      fail = reject
      if (timer !== undefined) timer.refresh()
      else if (limited) timer = setTimeout(onIdle, idleTimeoutMs)
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

function pullerOf(source: ByteStream): Puller {
  const ignore = (): undefined => undefined
  if (source instanceof ReadableStream) {
    const reader = source.getReader()
    return {
      next: async () => {
        const { done, value } = await reader.read()
        return done ? { done: true, value: undefined } : { done: false, value }
      },
      cancel: (reason) => void reader.cancel(reason).catch(ignore),
    }
  }
  const iterator: AsyncIterator<unknown> = source[Symbol.asyncIterator]()
  return {
    next: () => iterator.next(),
    cancel: () => {
      if (source instanceof Readable) source.destroy()
      // A generator that hangs in a read never answers `return`, so nobody waits for it.
      else void iterator.return?.().catch(ignore)
    },
  }
}
