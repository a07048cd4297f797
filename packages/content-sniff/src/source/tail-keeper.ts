import { ChunkQueue } from './chunk-queue.ts'

/** Remembers the last bytes of a stream by holding on to its latest chunks; large ones are not copied until asked for. */
export class TailKeeper {
  readonly #limit: number
  readonly #chunks = new ChunkQueue()
  #total = 0

  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  /** Bytes that went by. */
  get total(): number {
    return this.#total
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#total += chunk.length
    // The first chunk is looked at only when it may go: looking closes the block that small ones are gathered in.
    while (this.#chunks.length >= 2 * this.#limit) {
      const first = this.#chunks.peek()
      if (first === undefined || this.#chunks.length - first.length < this.#limit) return
      this.#chunks.shift()
    }
  }

  /** The last bytes, at most the limit. */
  bytes(): Uint8Array {
    const joined = Buffer.concat(this.#chunks.all())
    return joined.subarray(Math.max(0, joined.length - this.#limit))
  }
}
