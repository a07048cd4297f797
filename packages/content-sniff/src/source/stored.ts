import { SniffError } from '../errors.ts'
import type { Store, StoredObject } from '../stores/store.ts'
import { type ByteSource, seekableSource } from './byte-source.ts'

/** A source over an object in a store: head, tail and directories are read by ranges, never the whole. */
export function storedSource(
  store: Store,
  object: StoredObject,
  headBytes: number,
  signal: AbortSignal | undefined,
): Promise<ByteSource> {
  return seekableSource(object.size, headBytes, async (offset, length) => {
    if (length === 0) return new Uint8Array(0)
    const opened = await store.read(object.key, { range: { start: offset, end: offset + length - 1 }, signal })
    if (opened === undefined || opened.object.etag !== object.etag) {
      await opened?.body.cancel()
      throw new SniffError(
        'SNIFF_NOT_FOUND',
        `Expected ${JSON.stringify(object.key)} to stay as it was while it is read`,
      )
    }
    return new Uint8Array(await new Response(opened.body).arrayBuffer())
  })
}
