import { ChunkQueue } from './chunk-queue.ts'

/** A piece of a stream. */
export interface Collected {
  /** To be emptied by whoever sends them on, so that they are held once only. */
  readonly chunks: ChunkQueue
  /** True when the stream ended within the limit. */
  readonly ended: boolean
}

/** Smallest chunk that is worth a step of its own further on. */
const STEP_BYTES = 64 * 1024

/** Gathers chunks until the stream ends or there are more bytes than `limitBytes`. */
export async function collect(pull: () => Promise<IteratorResult<Uint8Array>>, limitBytes: number): Promise<Collected> {
  const chunks = new ChunkQueue()
  while (chunks.length <= limitBytes) {
    const next = await pull()
    if (next.done === true) return { chunks, ended: true }
    chunks.push(next.value)
  }
  return { chunks, ended: false }
}

/** Gives the start away chunk by chunk, then goes on with the source; what comes in crumbs is gathered. */
export async function* replay(
  start: ChunkQueue,
  pull: () => Promise<IteratorResult<Uint8Array>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let collected: Collected = { chunks: start, ended: false }; ;) {
    for (let chunk = collected.chunks.shift(); chunk !== undefined; chunk = collected.chunks.shift()) yield chunk
    if (collected.ended) return
    collected = await collect(pull, STEP_BYTES - 1)
  }
}
