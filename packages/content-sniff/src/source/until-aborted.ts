import { aborted } from '../failures.ts'

/**
 * The same chunks until a signal aborts; then the next one is an error, even while the source hangs.
 *
 * @throws SniffError `SNIFF_ABORTED`.
 */
export function untilAborted(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  if (signal === undefined) return body
  return {
    [Symbol.asyncIterator]() {
      const iterator = body[Symbol.asyncIterator]()
      return {
        next: () => {
          const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Uint8Array>>()
          const stop = (): void => reject(aborted(signal.reason))
          if (signal.aborted) {
            stop()
            return promise
          }
          signal.addEventListener('abort', stop, { once: true })
          iterator.next().then(resolve, reject)
          return promise.finally(() => signal.removeEventListener('abort', stop))
        },
        return: async () => {
          // A source that hangs in a read never answers, so nobody waits for it.
          void iterator.return?.().catch(() => undefined)
          return { done: true, value: undefined }
        },
      }
    },
  }
}
