import { createCipheriv, createHash, type Hash } from 'node:crypto'

/** Bytes that go through one system call; bounds the memory of a file of any size. */
export const blockBytes = 1024 * 1024

/**
 * Makes the content of a test file block by block: the same bytes for the same seed, and incompressible, so that a
 * file system that packs or shares blocks gains nothing.
 */
export function contentOf(seed: string): (bytes: number) => Buffer {
  const key = createHash('sha256').update(seed).digest()
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16))
  const zeros = Buffer.alloc(blockBytes)
  return (bytes) => stream.update(zeros.subarray(0, bytes))
}

/** Digest of the content that {@link contentOf} makes, without any file. */
export function digestOf(seed: string, bytes: number): string {
  const next = contentOf(seed)
  const hash: Hash = createHash('sha256')
  for (let left = bytes; left > 0; left -= blockBytes) hash.update(next(Math.min(left, blockBytes)))
  return hash.digest('hex')
}
