import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'

import { identify } from './identify.ts'
import { directoryRanges } from './layers/ole/compound.ts'
import { type ResolvedSniffOptions, resolveSniffOptions, type SniffOptions } from './options.ts'
import { bufferSource, endsSource, headSource, TAIL_BYTES } from './source/byte-source.ts'
import { closing } from './source/closing.ts'
import { type ByteStream, type SniffInput, withSource } from './source/open.ts'
import { peek } from './source/peek.ts'
import { RangeKeeper } from './source/range-keeper.ts'
import { TailKeeper } from './source/tail-keeper.ts'
import type { SniffResult } from './types/result.ts'

/**
 * Tells what a file is from its bytes.
 *
 * Bytes, Blobs, paths and open files are also read near their end and where a container's directory lies; a stream is
 * read up to the head and closed: {@link sniffStream} hands it back instead. Content never makes it throw.
 *
 * @param input - Bytes, Blob or File, path, `file:` URL, open file handle (position untouched), Node or web stream.
 * @throws {@link SniffError} `SNIFF_SOURCE_FAILED` when the input cannot be read.
 * @throws TypeError when the input is none of these, or yields something other than bytes.
 * @example
 * await sniff(new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>'))
 * // { mime: 'image/svg+xml', extension: 'svg', family: 'markup', flags: ['ACTIVE'], … }
 */
export async function sniff(input: SniffInput, options: SniffOptions = {}): Promise<SniffResult> {
  const resolved = resolveSniffOptions(options)
  return withSource(input, resolved.headBytes, (source) => identify(source, resolved))
}

/** A stream that was looked at. */
export interface SniffedStream<S> {
  /** What its head says. */
  readonly result: SniffResult
  /** The same bytes from the first one on; of the kind that was given: Node streams for Node, web streams for web. */
  readonly stream: S
  /**
   * What head and tail say together, once the stream went by: archives behind a picture, directories at the end.
   * Settles when `stream` ended; with the head's answer when it failed or was abandoned. Never rejects.
   */
  readonly complete: Promise<SniffResult>
}

/**
 * Tells what a stream is and hands it back untouched.
 *
 * Holds the head and the chunk that completed it; errors, back pressure and cancelling pass through.
 *
 * @throws {@link SniffError} `SNIFF_SOURCE_FAILED` when the source fails within the head.
 */
export function sniffStream(stream: Readable, options?: SniffOptions): Promise<SniffedStream<Readable>>
export function sniffStream(
  stream: ReadableStream<Uint8Array>,
  options?: SniffOptions,
): Promise<SniffedStream<ReadableStream<Uint8Array>>>
export function sniffStream(
  stream: AsyncIterable<Uint8Array>,
  options?: SniffOptions,
): Promise<SniffedStream<AsyncIterable<Uint8Array>>>
export async function sniffStream(
  stream: ByteStream,
  options: SniffOptions = {},
): Promise<SniffedStream<Readable | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>>> {
  const resolved = resolveSniffOptions(options)
  const { result, body, complete } = await sniffBody(stream, resolved)
  if (stream instanceof Readable) return { result, stream: Readable.from(body, { objectMode: false }), complete }
  if (stream instanceof ReadableStream) return { result, stream: ReadableStream.from(body), complete }
  return { result, stream: body, complete }
}

/** A stream taken apart for the uploader: what its head says, its bytes, and what the whole says. */
export interface SniffedBody {
  readonly result: SniffResult
  readonly body: AsyncIterableIterator<Uint8Array>
  readonly complete: Promise<SniffResult>
}

/** The common part of {@link sniffStream} and the uploader. */
export async function sniffBody(stream: AsyncIterable<unknown>, options: ResolvedSniffOptions): Promise<SniffedBody> {
  const peeked = await peek(stream, options.headBytes)
  const source = peeked.ended ? bufferSource(peeked.head, options.headBytes) : headSource(peeked.head)
  const result = await identify(source, options)
  const { promise, resolve } = Promise.withResolvers<SniffResult>()

  async function* passing(): AsyncGenerator<Uint8Array, void, undefined> {
    const tail = new TailKeeper(TAIL_BYTES)
    const middle = new RangeKeeper(peeked.ended ? [] : directoryRanges(peeked.head))
    for (let chunk = await peeked.next(); chunk !== undefined; chunk = await peeked.next()) {
      if (!peeked.ended) {
        tail.add(chunk)
        middle.add(chunk)
      }
      yield chunk
    }
    if (peeked.ended) return
    const kept = (offset: number, length: number): Uint8Array | undefined => middle.read(offset, length)
    resolve(await identify(endsSource(peeked.head, tail.bytes(), tail.total, kept), options))
  }
  const close = (): void => {
    peeked.close()
    resolve(result)
  }
  return { result, body: closing(passing(), close), complete: promise }
}
