import type { FileHandle } from 'node:fs/promises'

import { ChunkQueue } from '../source/chunk-queue.ts'
import { cannot } from './disk-files.ts'

/**
 * Bytes that wait for the disk before the source has to. More made uploads of a web stream a tenth slower where no disk
 * holds them up: what waits longer is no longer in the processor's cache.
 */
const AHEAD_BYTES = 256 * 1024

/**
 * Writes a body to a file. Reading goes on while the disk works, and whatever came meanwhile is written in one call.
 *
 * @throws SniffError `SNIFF_STORE_FAILED` when the disk fails; whatever the body throws, unchanged.
 */
export async function pour(body: AsyncIterable<Uint8Array>, handle: FileHandle): Promise<void> {
  const steps = body[Symbol.asyncIterator]()
  const queue = new ChunkQueue()
  let writing: Promise<void> | undefined
  let failure: { readonly error: unknown } | undefined
  const write = (): void => {
    writing = writeAll(handle, queue.takeAll()).then(
      () => {
        writing = undefined
      },
      (error: unknown) => {
        writing = undefined
        failure = { error }
      },
    )
  }
  const check = (): void => {
    if (failure !== undefined) throw failure.error
  }

  let ended = false
  try {
    for (;;) {
      const step = await steps.next()
      if (step.done === true) {
        ended = true
        break
      }
      queue.push(step.value)
      if (queue.length >= AHEAD_BYTES) await writing
      check()
      if (writing === undefined) write()
    }
    await writing
    check()
    if (queue.length > 0) write()
    await writing
    check()
  } finally {
    // A source that hangs in a read never answers, so nobody waits for it.
    if (!ended) void steps.return?.().catch(() => undefined)
    await writing
  }
}

/** Writes whole chunks, however many calls it takes. */
async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let rest = chunks
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest).catch(cannot('write a file'))
    rest = behind(rest, bytesWritten)
  }
}

/** What is left of chunks when some bytes of them are done; empty chunks are done as well. */
function behind(chunks: readonly Uint8Array[], done: number): readonly Uint8Array[] {
  let left = done
  let index = 0
  for (; index < chunks.length; index += 1) {
    const { length } = chunks[index] as Uint8Array
    if (length > left) break
    left -= length
  }
  const [first, ...others] = chunks.slice(index)
  return first === undefined ? [] : [first.subarray(left), ...others]
}
