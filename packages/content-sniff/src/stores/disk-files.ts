import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import path from 'node:path'

import { storeFailed, throwIfAborted } from '../failures.ts'
import { closing } from '../source/closing.ts'
import type { ByteRange } from './store.ts'

const READ_CHUNK_BYTES = 256 * 1024

/** Reads a range and closes the file behind it, also when nobody asks for its first byte. */
export function readRange(
  handle: FileHandle,
  range: ByteRange,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<Uint8Array> {
  return closing(chunksOf(handle, range, signal), () => handle.close())
}

async function* chunksOf(
  handle: FileHandle,
  { start, end }: ByteRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = start; offset <= end;) {
    throwIfAborted(signal)
    // Not cleared, since it is filled at once; not from the pool that others share.
    const chunk = Buffer.allocUnsafeSlow(Math.min(READ_CHUNK_BYTES, end + 1 - offset))
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset).catch(cannot('read a file'))
    if (bytesRead === 0) throw storeFailed('read a whole file', undefined)
    offset += bytesRead
    yield chunk.subarray(0, bytesRead)
  }
}

/** Makes a folder and those above it, and waits until the names of all that were missing are on the disk. */
export async function makeFolder(folder: string, durable: boolean): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined || !durable) return
  for (let made = folder; made.length >= first.length; made = path.dirname(made)) await syncFolder(path.dirname(made))
}

/** Waits until the names in a folder are on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY).catch(cannot('open a folder'))
  try {
    await handle.sync()
  } catch (cause) {
    // Some network file systems cannot flush a folder; the file itself is on disk by now.
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(codeOf(cause) ?? '')) throw storeFailed('flush a folder', cause)
  } finally {
    await handle.close()
  }
}

/** Makes a store's own error of whatever the system says. */
export const cannot = (doing: string): ((cause: unknown) => never) => {
  return (cause) => {
    throw storeFailed(doing, cause)
  }
}

/** The system's code behind an error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/** Nothing where nothing is; any other trouble is an error. */
export function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw storeFailed('read a folder', error)
}
