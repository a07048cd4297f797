/** Chunks below this are copied together: an object for each would weigh more than its bytes. */
const SMALL_BYTES = 4096

const BLOCK_BYTES = 64 * 1024

/**
 * Chunks first in, first out. Large ones are held as they are, small ones are copied into blocks.
 *
 * A peer decides how small the chunks of its upload are. Each costs the same here, whether ten are held or a million.
 */
export class ChunkQueue {
  #chunks: Uint8Array[] = []
  #first = 0
  #block: Uint8Array | undefined
  #filled = 0
  #length = 0

  /** Bytes that are held. */
  get length(): number {
    return this.#length
  }

  push(chunk: Uint8Array): void {
    this.#length += chunk.length
    if (chunk.length >= SMALL_BYTES) {
      this.#seal()
      this.#chunks.push(chunk)
      return
    }
    if (this.#block !== undefined && this.#filled + chunk.length > this.#block.length) this.#seal()
    this.#block ??= new Uint8Array(BLOCK_BYTES)
    this.#block.set(chunk, this.#filled)
    this.#filled += chunk.length
  }

  /** The first chunk, `undefined` when there is none. */
  peek(): Uint8Array | undefined {
    if (this.#first === this.#chunks.length) this.#seal()
    return this.#chunks[this.#first]
  }

  /** Takes the first chunk out. */
  shift(): Uint8Array | undefined {
    const chunk = this.peek()
    if (chunk === undefined) return undefined
    this.#length -= chunk.length
    this.#first += 1
    // Half of it is gone: moving the rest costs one step for each chunk that went.
    if (this.#first * 2 >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first)
      this.#first = 0
    }
    return chunk
  }

  /** Takes everything out. */
  takeAll(): Uint8Array[] {
    this.#seal()
    const chunks = this.#first === 0 ? this.#chunks : this.#chunks.slice(this.#first)
    this.#chunks = []
    this.#first = 0
    this.#length = 0
    return chunks
  }

  /** What {@link takeAll} would take; all stays where it is. */
  all(): readonly Uint8Array[] {
    this.#seal()
    return this.#chunks.slice(this.#first)
  }

  #seal(): void {
    if (this.#block === undefined) return
    if (this.#filled > 0) this.#chunks.push(this.#block.subarray(0, this.#filled))
    this.#block = undefined
    this.#filled = 0
  }
}
