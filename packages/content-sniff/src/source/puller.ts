import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'

/** A stream of any kind, one chunk at a time. */
export interface Puller {
  readonly next: () => Promise<IteratorResult<unknown>>
  /** Lets go of the source at once, even while a read hangs. */
  readonly cancel: (reason: unknown) => void
}

const ignore = (): undefined => undefined

/** Takes a stream over for reading. */
export function pullerOf(source: AsyncIterable<unknown>): Puller {
  if (source instanceof ReadableStream) {
    const reader = source.getReader()
    return {
      next: () => reader.read() as Promise<IteratorResult<unknown>>,
      cancel: (reason) => void reader.cancel(reason).catch(ignore),
    }
  }
  const iterator = source[Symbol.asyncIterator]()
  return {
    next: () => iterator.next(),
    cancel: () => {
      if (source instanceof Readable) source.destroy()
      // A generator that hangs in a read never answers `return`, so nobody waits for it.
      else void iterator.return?.().catch(ignore)
    },
  }
}
