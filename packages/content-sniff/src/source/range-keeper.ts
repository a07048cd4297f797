import type { ByteRange } from '../stores/store.ts'

interface Kept {
  readonly start: number
  readonly bytes: Uint8Array
}

/** Keeps chosen parts of a stream while it goes by; what lies between a head and a tail cannot be asked for later. */
export class RangeKeeper {
  readonly #ranges: readonly Kept[]
  #offset = 0
  #first = 0

  constructor(ranges: readonly ByteRange[]) {
    this.#ranges = ranges
      .toSorted((a, b) => a.start - b.start)
      .map(({ start, end }) => ({ start, bytes: new Uint8Array(end + 1 - start) }))
  }

  add(chunk: Uint8Array): void {
    const end = this.#offset + chunk.length
    for (let index = this.#first; index < this.#ranges.length; index += 1) {
      const { start, bytes } = this.#ranges[index] as Kept
      if (start >= end) break
      const from = Math.max(start, this.#offset)
      const to = Math.min(start + bytes.length, end)
      if (from < to) bytes.set(chunk.subarray(from - this.#offset, to - this.#offset), from - start)
      else if (index === this.#first) this.#first += 1
    }
    this.#offset = end
  }

  /** A part that lies in one of the ranges and went by, `undefined` for any other. */
  read(offset: number, length: number): Uint8Array | undefined {
    const range = this.#ranges.find(({ start, bytes }) => start <= offset && offset + length <= start + bytes.length)
    if (range === undefined || offset + length > this.#offset) return undefined
    return range.bytes.subarray(offset - range.start, offset - range.start + length)
  }
}
