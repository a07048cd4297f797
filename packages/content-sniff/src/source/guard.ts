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
  const started = options.now()
  let total = 0
  let done = false

  const stop = (error: SniffError): never => {
    done = true
    puller.cancel(error)
    throw error
  }

  return {
    async next() {
      if (done) return { done: true, value: undefined }
      const step = await withLimits(puller, options).catch((error: unknown) => {
        done = true
        throw error
      })
      if (step.done === true) {
        done = true
        return { done: true, value: undefined }
      }
      const chunk = step.value
      if (!(chunk instanceof Uint8Array)) {
        done = true
        puller.cancel(undefined)
        throw new TypeError(`Expected a stream of bytes, got a chunk of type ${typeof chunk}`)
      }
      total += chunk.length
      if (total > options.maxBytes) {
        return stop(
          new SniffError('SNIFF_TOO_LARGE', `Expected at most ${options.maxBytes} bytes, the source has more`),
        )
      }
      const elapsedMs = options.now() - started
      if (elapsedMs > options.idleTimeoutMs && total * 1000 < options.minBytesPerSecond * elapsedMs) {
        return stop(
          new SniffError(
            'SNIFF_SLOW_SOURCE',
            `Expected at least ${options.minBytesPerSecond} bytes a second, got ${Math.floor((total * 1000) / elapsedMs)}`,
          ),
        )
      }
      return { done: false, value: chunk }
    },
    return() {
      if (!done) puller.cancel(undefined)
      done = true
      return Promise.resolve({ done: true, value: undefined })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

function withLimits(puller: Puller, options: GuardOptions): Promise<IteratorResult<unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<unknown>>()
  const fail = (error: SniffError): void => {
    reject(error)
    puller.cancel(error)
  }
  const onAbort = (): void => fail(aborted(options.signal?.reason))
  if (options.signal?.aborted === true) {
    onAbort()
    return promise
  }
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const timer =
    options.idleTimeoutMs > 0 && Number.isFinite(options.idleTimeoutMs)
      ? setTimeout(() => {
          fail(
            new SniffError(
              'SNIFF_IDLE_SOURCE',
              `Expected the next bytes within ${options.idleTimeoutMs} ms, none came`,
            ),
          )
        }, options.idleTimeoutMs)
      : undefined
  puller.next().then(resolve, (cause: unknown) => {
    reject(
      cause instanceof SniffError
        ? cause
        : new SniffError('SNIFF_SOURCE_FAILED', 'Expected the source to reach its end, it failed before', { cause }),
    )
  })
  return promise.finally(() => {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', onAbort)
  })
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
