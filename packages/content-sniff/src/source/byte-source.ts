/** Bytes looked at from the start, by default: WHATWG asks for 1,445, old Office directories need far more. */
export const DEFAULT_HEAD_BYTES = 65_536

/** Bytes looked at from the end: a zip's end record may sit behind a comment of 65,535 bytes. */
export const TAIL_BYTES: number = 66 * 1024

/** Most bytes that one identification may read beyond the head, so that hostile pointers cannot make it walk a disk. */
const READ_BUDGET_BYTES = 4 * 1024 * 1024

/** A file as the layers see it: a head in memory, and more on request where the source can seek. */
export interface ByteSource {
  /** First bytes, at most the configured head. */
  readonly head: Uint8Array
  /** Whole size in bytes, `undefined` while a stream has not ended. */
  readonly size: number | undefined
  /** Bytes at an offset; shorter than asked, or empty, where the source ends, cannot seek or the budget is spent. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>
}

const NOTHING = new Uint8Array(0)

/** True when the head is all there is. */
export const isWhole = (source: ByteSource): boolean => source.size === source.head.length

/** Bytes in memory. */
export function bufferSource(bytes: Uint8Array, headBytes: number): ByteSource {
  return {
    head: bytes.subarray(0, headBytes),
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(Math.max(offset, 0), Math.max(offset + length, 0))),
  }
}

/** The first bytes of a stream whose rest is not known yet. */
export function headSource(head: Uint8Array): ByteSource {
  return { head, size: undefined, read: (offset, length) => Promise.resolve(head.subarray(offset, offset + length)) }
}

/** Start and end of a stream that went by, and what was kept between them. */
export function endsSource(
  head: Uint8Array,
  tail: Uint8Array,
  size: number,
  kept: (offset: number, length: number) => Uint8Array | undefined,
): ByteSource {
  const tailStart = size - tail.length
  return {
    head,
    size,
    read: (offset, length) => {
      if (offset >= tailStart) return Promise.resolve(tail.subarray(offset - tailStart, offset - tailStart + length))
      if (offset < 0) return Promise.resolve(NOTHING)
      const middle = offset + length <= head.length ? undefined : kept(offset, length)
      return Promise.resolve(middle ?? head.subarray(offset, offset + length))
    },
  }
}

/** A source that reads at positions; `readAt` may return fewer bytes than asked at the end. */
export async function seekableSource(
  size: number,
  headBytes: number,
  readAt: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<ByteSource> {
  const head = await readAt(0, Math.min(headBytes, size))
  let left = READ_BUDGET_BYTES
  return {
    head,
    size,
    read: async (offset, length) => {
      if (offset < 0 || offset >= size || length <= 0) return NOTHING
      const wanted = Math.min(length, size - offset)
      if (offset + wanted <= head.length) return head.subarray(offset, offset + wanted)
      if (wanted > left) return NOTHING
      left -= wanted
      return readAt(offset, wanted)
    },
  }
}
