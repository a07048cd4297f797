import { createInflateRaw, inflateRawSync } from 'node:zlib'

import type { ByteSource } from '../../source/byte-source.ts'
import type { ZipEntry } from './records.ts'

const NOTHING = new Uint8Array(0)

/**
 * Unpacks the start of one member, never more than `limit` bytes, whatever the archive claims about it.
 *
 * @param shift - Bytes in front of the archive's own start.
 * @returns Empty when the member is encrypted, out of reach or damaged.
 */
export async function readMember(
  source: ByteSource,
  entry: ZipEntry,
  shift: number,
  limit: number,
): Promise<Uint8Array> {
  if (entry.encrypted) return NOTHING
  const at = entry.offset + shift
  const header = await source.read(at, 30)
  if (header.length < 30) return NOTHING
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const data = at + 30 + view.getUint16(26, true) + view.getUint16(28, true)
  // A streamed member that is read from its local header has no size yet; deflate knows its own end.
  const bytes = await source.read(data, entry.packedBytes === 0 ? limit : Math.min(entry.packedBytes, limit))
  if (entry.method === 0) return bytes
  return entry.method === 8 ? (inflateWhole(bytes, limit) ?? inflateStart(bytes, limit)) : NOTHING
}

/** A member that fits, without a stream's threads and turns, which take ten times as long for a small one. */
function inflateWhole(bytes: Uint8Array, limit: number): Uint8Array | undefined {
  try {
    return inflateRawSync(bytes, { maxOutputLength: limit })
  } catch {
    // Larger than that, damaged or cut.
    return undefined
  }
}

async function inflateStart(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: 16 * 1024 })
  const parts: Uint8Array[] = []
  let length = 0
  try {
    inflate.end(bytes)
    for await (const part of inflate as AsyncIterable<Uint8Array>) {
      parts.push(part)
      length += part.length
      if (length >= limit) break
    }
  } catch {
    // Damaged or cut: what came out so far still tells something.
  }
  return Buffer.concat(parts).subarray(0, limit)
}
