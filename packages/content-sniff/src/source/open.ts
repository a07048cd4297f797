import { open, type FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

import { SniffError } from '../errors.ts'
import { bufferSource, type ByteSource, headSource, seekableSource } from './byte-source.ts'
import { peek } from './peek.ts'

/** Anything that yields bytes in order. */
export type ByteStream = Readable | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** What can be identified: bytes, a Blob or File, a path, an open file, or a stream. */
export type SniffInput = Uint8Array | ArrayBuffer | Blob | string | URL | FileHandle | ByteStream

/** Runs `use` on a source of any kind, and closes whatever was opened for it. */
export async function withSource<T>(
  input: SniffInput,
  headBytes: number,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  if (input instanceof Uint8Array) return use(bufferSource(input, headBytes))
  if (input instanceof ArrayBuffer) return use(bufferSource(new Uint8Array(input), headBytes))
  if (input instanceof Blob) return use(await blobSource(input, headBytes))
  if (typeof input === 'string' || input instanceof URL) {
    const handle = await open(input).catch(fail)
    try {
      return await use(await handleSource(handle, headBytes))
    } finally {
      await handle.close()
    }
  }
  if (isFileHandle(input)) return use(await handleSource(input, headBytes))
  if (isByteStream(input)) return use(await streamSource(input, headBytes))
  throw new TypeError(`Expected bytes, a Blob, a path, a file handle or a stream, got ${typeof input}`)
}

/** True for a Node or web stream and for anything else that yields chunks asynchronously. */
export function isByteStream(input: unknown): input is ByteStream {
  return typeof input === 'object' && input !== null && Symbol.asyncIterator in input
}

/** True for an open file of `node:fs/promises`. */
export function isFileHandle(input: unknown): input is FileHandle {
  return typeof input === 'object' && input !== null && 'fd' in input && 'read' in input && 'stat' in input
}

/** A source over a Blob or File; slices are read on demand. */
export async function blobSource(blob: Blob, headBytes: number): Promise<ByteSource> {
  return seekableSource(blob.size, headBytes, async (offset, length) => {
    const part = await blob
      .slice(offset, offset + length)
      .arrayBuffer()
      .catch(fail)
    return new Uint8Array(part)
  })
}

/** A source over an open file; its position stays where it is, unless it is a pipe or a device. */
export async function handleSource(handle: FileHandle, headBytes: number): Promise<ByteSource> {
  const stats = await handle.stat().catch(fail)
  if (stats.isDirectory()) throw new SniffError('SNIFF_SOURCE_FAILED', 'Expected a file, got a directory')
  const readAt = (position: number | null) => async (offset: number, length: number) => {
    const bytes = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const at = position === null ? null : offset + filled
      const { bytesRead } = await handle.read(bytes, filled, length - filled, at).catch(fail)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  }
  if (stats.isFile()) return seekableSource(stats.size, headBytes, readAt(0))
  const head = await readAt(null)(0, headBytes)
  return head.length < headBytes ? bufferSource(head, headBytes) : headSource(head)
}

async function streamSource(stream: ByteStream, headBytes: number): Promise<ByteSource> {
  const peeked = await peek(stream, headBytes)
  peeked.close()
  return peeked.ended ? bufferSource(peeked.head, headBytes) : headSource(peeked.head)
}

function fail(cause: unknown): never {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown error'
  throw new SniffError('SNIFF_SOURCE_FAILED', `Expected a readable file, reading failed with ${reason}`, { cause })
}
