import { SniffError } from '../errors.ts'

/** The first bytes of a stream, and the means to go on from its very start. */
export interface Peeked {
  /** At most the bytes asked for; a copy, safe from whoever consumes the chunks. */
  readonly head: Uint8Array
  /** True when the whole stream fits into the head. */
  readonly ended: boolean
  /** The same bytes again from the first one on, in the chunks in which they came. To be iterated once. */
  readonly replay: () => AsyncGenerator<Uint8Array, void, undefined>
  /** Lets go of the source without reading on. */
  readonly close: () => Promise<void>
}

/**
 * Reads the start of a stream, however small its chunks are, and keeps it for replay.
 *
 * @throws {@link SniffError} `SNIFF_SOURCE_FAILED` when the source fails before the head is complete.
 */
export async function peek(stream: AsyncIterable<unknown>, headBytes: number): Promise<Peeked> {
  const iterator = stream[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let length = 0
  let ended = false
  while (!ended && length <= headBytes) {
    const next = await pull(iterator)
    if (next === undefined) {
      ended = true
    } else if (next.length > 0) {
      chunks.push(next)
      length += next.length
    }
  }
  return {
    head: concat(chunks, Math.min(length, headBytes)),
    ended: ended && length <= headBytes,
    replay: () => replay(iterator, chunks, ended),
    close: async () => {
      chunks.length = 0
      if (!ended) await iterator.return?.()
    },
  }
}

async function* replay(
  iterator: AsyncIterator<unknown>,
  chunks: Uint8Array[],
  sourceEnded: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ended = sourceEnded
  try {
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk
    while (!ended) {
      const next = await pull(iterator)
      if (next === undefined) ended = true
      else yield next
    }
  } catch (error) {
    ended = true
    throw error
  } finally {
    if (!ended) await iterator.return?.()
  }
}

async function pull(iterator: AsyncIterator<unknown>): Promise<Uint8Array | undefined> {
  let next: IteratorResult<unknown>
  try {
    next = await iterator.next()
  } catch (cause) {
    // Our own guards (limits, idle time) sit inside some sources; their codes must survive.
    if (cause instanceof SniffError) throw cause
    throw new SniffError('SNIFF_SOURCE_FAILED', 'Expected the source to reach its end, it failed before', { cause })
  }
  if (next.done === true) return undefined
  if (next.value instanceof Uint8Array) return next.value
  await iterator.return?.()
  throw new TypeError(`Expected a stream of bytes, got a chunk of type ${typeof next.value}`)
}

function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    if (offset >= length) break
    const part = chunk.subarray(0, length - offset)
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
