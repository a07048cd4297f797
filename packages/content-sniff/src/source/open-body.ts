import { SniffError } from '../errors.ts'
import { identify } from '../identify.ts'
import type { ResolvedSniffOptions } from '../options.ts'
import { sniffBody } from '../sniff.ts'
import type { SniffResult } from '../types/result.ts'
import { bufferSource, type ByteSource } from './byte-source.ts'
import { blobSource, type ByteStream, handleSource, isByteStream, isFileHandle } from './open.ts'

const CHUNK_BYTES = 256 * 1024

/** A source made ready for storing. */
export interface OpenedBody {
  /** What is known before the first byte is stored: everything for sources that can seek, the head's answer for others. */
  readonly result: SniffResult
  readonly body: AsyncIterable<Uint8Array>
  /** What is known after the last byte. */
  readonly complete: Promise<SniffResult>
  /** Size in bytes where the source tells. */
  readonly size: number | undefined
  /** Lets go of the source; safe to repeat. */
  readonly close: () => Promise<void>
}

/** Opens anything that can be uploaded; `guarded` puts limits around what is read. */
export async function openBody(
  source: unknown,
  guarded: (stream: ByteStream) => AsyncIterableIterator<Uint8Array>,
  options: ResolvedSniffOptions,
): Promise<OpenedBody> {
  const seekable = await seekableOf(source, options.headBytes)
  if (seekable?.size !== undefined) {
    const result = await identify(seekable, options)
    const body = guarded(chunksOf(seekable, source))
    return { result, body, complete: Promise.resolve(result), size: seekable.size, close: () => closeIterator(body) }
  }
  if (!isByteStream(source)) {
    throw new TypeError(`Expected bytes, a Blob, a file handle or a stream, got ${typeof source}`)
  }
  const stream = guarded(source)
  const { result, body, complete } = await sniffBody(stream, options)
  return { result, body, complete, size: undefined, close: () => closeIterator(stream) }
}

async function seekableOf(source: unknown, headBytes: number): Promise<ByteSource | undefined> {
  if (source instanceof Uint8Array) return bufferSource(source, headBytes)
  if (source instanceof ArrayBuffer) return bufferSource(new Uint8Array(source), headBytes)
  if (source instanceof Blob) return blobSource(source, headBytes)
  if (!isFileHandle(source)) return undefined
  if (!(await source.stat()).isFile())
    throw new TypeError('Expected a regular file; pass pipes and devices as a stream')
  return handleSource(source, headBytes)
}

async function* chunksOf(seekable: ByteSource, source: unknown): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Blob) {
    yield* source.stream()
    return
  }
  for (let offset = 0; ;) {
    let chunk: Uint8Array
    if (isFileHandle(source)) {
      // Not cleared, since it is filled at once; not from the pool that others share.
      const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      const { bytesRead } = await source.read(buffer, 0, CHUNK_BYTES, offset).catch((cause: unknown) => {
        throw new SniffError('SNIFF_SOURCE_FAILED', 'Expected a readable file, reading failed', { cause })
      })
      chunk = buffer.subarray(0, bytesRead)
    } else {
      chunk = await seekable.read(offset, CHUNK_BYTES)
    }
    if (chunk.length === 0) return
    offset += chunk.length
    yield chunk
  }
}

async function closeIterator(iterator: AsyncIterableIterator<unknown>): Promise<void> {
  await iterator.return?.()
}
