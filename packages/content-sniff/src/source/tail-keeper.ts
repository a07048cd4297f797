/** Remembers the last bytes of a stream by holding on to its latest chunks; nothing is copied until asked for. */
export class TailKeeper {
  readonly #limit: number
  readonly #chunks: Uint8Array[] = []
  #held = 0
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
    this.#held += chunk.length
    this.#total += chunk.length
    while (this.#chunks[0] !== undefined && this.#held - this.#chunks[0].length >= this.#limit) {
      this.#held -= this.#chunks[0].length
      this.#chunks.shift()
    }
  }

  /** The last bytes, at most the limit. */
  bytes(): Uint8Array {
    const joined = Buffer.concat(this.#chunks)
    return joined.subarray(Math.max(0, joined.length - this.#limit))
  }
}
