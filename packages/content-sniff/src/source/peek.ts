import { SniffError } from '../errors.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { pullerOf } from './puller.ts'

/** The first bytes of a stream, and the means to go on from its very start. */
export interface Peeked {
  /** At most the bytes asked for; a copy, safe from whoever consumes the chunks. */
  readonly head: Uint8Array
  /** True when the whole stream fits into the head. */
  readonly ended: boolean
  /** The next chunk, from the first byte of the stream on; `undefined` behind the last one. */
  readonly next: () => Promise<Uint8Array | undefined>
  /** Lets go of the source without reading on; safe to repeat. */
  readonly close: () => void
}

/**
 * Reads the start of a stream, however small its chunks are, and keeps it for a second reading.
 *
 * @throws {@link SniffError} `SNIFF_SOURCE_FAILED` when the source fails before the head is complete.
 */
export async function peek(stream: AsyncIterable<unknown>, headBytes: number): Promise<Peeked> {
  const puller = pullerOf(stream)
  const queue = new ChunkQueue()
  let ended = false

  const close = (): void => {
    queue.takeAll()
    if (!ended) puller.cancel(undefined)
    ended = true
  }
  const pull = async (): Promise<Uint8Array | undefined> => {
    let step: IteratorResult<unknown>
    try {
      step = await puller.next()
    } catch (cause) {
      ended = true
      // Our own guards (limits, idle time) sit inside some sources; their codes must survive.
      if (cause instanceof SniffError) throw cause
      throw new SniffError('SNIFF_SOURCE_FAILED', 'Expected the source to reach its end, it failed before', { cause })
    }
    if (step.done === true) {
      ended = true
      return undefined
    }
    if (step.value instanceof Uint8Array) return step.value
    close()
    throw new TypeError(`Expected a stream of bytes, got a chunk of type ${typeof step.value}`)
  }

  while (!ended && queue.length <= headBytes) {
    const chunk = await pull()
    if (chunk !== undefined) queue.push(chunk)
  }
  return {
    head: concat(queue.all(), Math.min(queue.length, headBytes)),
    ended: ended && queue.length <= headBytes,
    next: async () => queue.shift() ?? (ended ? undefined : pull()),
    close,
  }
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
