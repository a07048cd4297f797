import { type ByteSource, TAIL_BYTES } from '../../source/byte-source.ts'

/** One member of an archive, as its directory (or its local header) describes it. */
export interface ZipEntry {
  readonly name: string
  readonly encrypted: boolean
  /** Compression method: 0 stored, 8 deflated. */
  readonly method: number
  readonly packedBytes: number
  readonly unpackedBytes: number
  /** Offset of the local header, from the archive's own start. */
  readonly offset: number
}

/** What is known of an archive. */
export interface ZipDirectory {
  readonly entries: readonly ZipEntry[]
  /** Number of members that the archive claims, which may be more than were read. */
  readonly claimed: number
  /** True when it comes from the directory at the end, false when local headers of the head had to do. */
  readonly central: boolean
  /** Bytes in front of the archive's own start. */
  readonly shift: number
}

/** Where an archive's directory is, by the record at its very end. */
export interface ZipEnd {
  readonly claimed: number
  readonly directoryBytes: number
  readonly directoryOffset: number
  /** Position of the end record in the file. */
  readonly at: number
}

const END_RECORD = 0x06054b50
const CENTRAL_HEADER = 0x02014b50
const LOCAL_HEADER = 0x04034b50
const SPAN_MARKER = 0x08074b50
const STREAMED = 0x08
const UTF8_NAME = 0x800

/** Most directory that is read; at about 60 bytes a member this is more than {@link MOST_ENTRIES}. */
const LONGEST_DIRECTORY = 2 * 1024 * 1024

/** Members looked at; archives with more count as bombs anyway. */
export const MOST_ENTRIES = 10_000

const latin1 = new TextDecoder('latin1')
const utf8 = new TextDecoder()

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Last bytes of a source, empty while its size is unknown. */
export async function readTail(source: ByteSource): Promise<Uint8Array> {
  if (source.size === undefined) return new Uint8Array(0)
  const length = Math.min(source.size, TAIL_BYTES)
  return source.read(source.size - length, length)
}

/**
 * Finds the end record: the last one whose comment reaches exactly to the end of the file.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (section 4.3.16)
 */
export function findZipEnd(tail: Uint8Array, size: number): ZipEnd | undefined {
  if (tail.length < 22) return undefined
  const view = viewOf(tail)
  for (
    let at = tail.lastIndexOf(0x50, tail.length - 22);
    at >= 0;
    at = at === 0 ? -1 : tail.lastIndexOf(0x50, at - 1)
  ) {
    if (view.getUint32(at, true) !== END_RECORD) continue
    if (at + 22 + view.getUint16(at + 20, true) !== tail.length) continue
    return {
      claimed: view.getUint16(at + 10, true),
      directoryBytes: view.getUint32(at + 12, true),
      directoryOffset: view.getUint32(at + 16, true),
      at: size - tail.length + at,
    }
  }
  return undefined
}

/** Reads the directory at the end where it can be reached, the local headers of the head where not. */
export async function readDirectory(source: ByteSource, end: ZipEnd | undefined): Promise<ZipDirectory> {
  if (end !== undefined) {
    // Archives behind something else are found by counting back from their end, not by the offset they claim.
    const start = end.at - end.directoryBytes
    const entries = await readCentral(source, start, end.directoryBytes)
    if (entries.length > 0 || end.claimed === 0) {
      return {
        entries,
        claimed: Math.max(end.claimed, entries.length),
        central: true,
        shift: Math.max(0, start - end.directoryOffset),
      }
    }
    // A 64-bit archive has records of its own between directory and end.
    const claimed = await readCentral(source, end.directoryOffset, Math.max(end.directoryBytes, 4096))
    if (claimed.length > 0)
      return { entries: claimed, claimed: Math.max(end.claimed, claimed.length), central: true, shift: 0 }
  }
  const entries = walkLocalHeaders(source.head)
  return { entries, claimed: entries.length, central: false, shift: 0 }
}

async function readCentral(source: ByteSource, offset: number, length: number): Promise<ZipEntry[]> {
  const bytes = await source.read(Math.max(offset, 0), Math.min(length, LONGEST_DIRECTORY))
  const view = viewOf(bytes)
  const entries: ZipEntry[] = []
  for (let at = 0; at + 46 <= bytes.length && entries.length <= MOST_ENTRIES;) {
    if (view.getUint32(at, true) !== CENTRAL_HEADER) break
    const flags = view.getUint16(at + 8, true)
    const nameLength = view.getUint16(at + 28, true)
    entries.push({
      name: decodeName(bytes.subarray(at + 46, at + 46 + nameLength), flags),
      encrypted: (flags & 1) !== 0,
      method: view.getUint16(at + 10, true),
      packedBytes: view.getUint32(at + 20, true),
      unpackedBytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    })
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return entries
}

/** Reads local headers one after the other; behind a streamed member, whose size follows it, the next one is searched. */
function walkLocalHeaders(head: Uint8Array): ZipEntry[] {
  const view = viewOf(head)
  const entries: ZipEntry[] = []
  let at = head.length >= 4 && view.getUint32(0, true) === SPAN_MARKER ? 4 : 0
  while (at >= 0 && at + 30 <= head.length && entries.length <= MOST_ENTRIES) {
    if (view.getUint32(at, true) !== LOCAL_HEADER) break
    const flags = view.getUint16(at + 6, true)
    const nameLength = view.getUint16(at + 26, true)
    const packedBytes = view.getUint32(at + 18, true)
    entries.push({
      name: decodeName(head.subarray(at + 30, at + 30 + nameLength), flags),
      encrypted: (flags & 1) !== 0,
      method: view.getUint16(at + 8, true),
      packedBytes,
      unpackedBytes: view.getUint32(at + 22, true),
      offset: at,
    })
    const data = at + 30 + nameLength + view.getUint16(at + 28, true)
    at = (flags & STREAMED) !== 0 && packedBytes === 0 ? nextLocalHeader(head, data) : data + packedBytes
  }
  return entries
}

function nextLocalHeader(head: Uint8Array, from: number): number {
  for (let at = head.indexOf(0x50, from); at >= 0; at = head.indexOf(0x50, at + 1)) {
    if (head[at + 1] === 0x4b && head[at + 2] === 3 && head[at + 3] === 4) return at
  }
  return -1
}

const decodeName = (bytes: Uint8Array, flags: number): string =>
  ((flags & UTF8_NAME) === 0 ? latin1 : utf8).decode(bytes)
