import { createCipheriv, createHash } from 'node:crypto'

/** Bytes that go through one system call; bounds the memory of a file of any size. */
export const blockBytes = 1024 * 1024

/** Unit in which file systems look for equal content, in bytes. */
const pageBytes = 4096

/**
 * Makes the content of a test file block by block: the same bytes for the same seed, no page like another, and random,
 * so that a file system that packs or shares pages gains nothing.
 *
 * Each call gives the same memory with new content: use it before the next one. A gigabyte makes no garbage.
 */
export function contentOf(seed: string): (bytes: number) => Uint8Array {
  const key = createHash('sha256').update(seed).digest()
  const block = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(blockBytes))
  let page = 0
  return (bytes) => {
    for (let at = 0; at < blockBytes; at += pageBytes) block.writeDoubleLE(page++, at)
    return block.subarray(0, bytes)
  }
}

/** Digest of the content that {@link contentOf} makes, without any file. */
export function digestOf(seed: string, bytes: number): string {
  const next = contentOf(seed)
  const hash = createHash('sha256')
  for (let left = bytes; left > 0; left -= blockBytes) hash.update(next(Math.min(left, blockBytes)))
  return hash.digest('hex')
}
