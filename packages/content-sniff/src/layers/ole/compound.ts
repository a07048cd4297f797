import type { ByteSource } from '../../source/byte-source.ts'
import type { ByteRange } from '../../stores/store.ts'

/** One storage or stream of a compound file. */
interface OleEntry {
  readonly name: string
  readonly kind: 'storage' | 'stream' | 'root'
  readonly left: number
  readonly right: number
  readonly child: number
  /** Class identifier, 32 lower-case hexadecimal digits as stored. */
  readonly clsid: string
  readonly startSector: number
  readonly size: number
}

/** A compound file's outermost names; nested documents are left out, since they say nothing of the outer one. */
export interface OleDirectory {
  readonly rootClsid: string
  readonly entries: readonly OleEntry[]
  readonly sectorBytes: number
}

const END_OF_CHAIN = 0xfffffffe
const MOST_SECTORS = 64
const MOST_ENTRIES = 512
const NO_ENTRY = 0xffffffff

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** True for the first bytes of a compound file. */
export function isOle(head: Uint8Array): boolean {
  return head.length >= 8 && viewOf(head).getUint32(0) === 0xd0cf11e0 && viewOf(head).getUint32(4) === 0xa1b11ae1
}

/**
 * Reads the directory of a compound file, following its sector chain with a guard against loops.
 *
 * @returns `undefined` when the directory is out of reach, as in the head of a long stream.
 * @see https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb
 */
export async function readOleDirectory(source: ByteSource): Promise<OleDirectory | undefined> {
  if (source.head.length < 512) return undefined
  const header = viewOf(source.head)
  const shift = header.getUint16(30, true)
  if (shift !== 9 && shift !== 12) return undefined
  const sectorBytes = 1 << shift
  const sectorOffset = (sector: number): number => (sector + 1) * sectorBytes
  const nextOf = sectorChain(source, header, sectorBytes)

  const all: OleEntry[] = []
  let sector = header.getUint32(48, true)
  for (let count = 0; count < MOST_SECTORS && sector < END_OF_CHAIN && all.length < MOST_ENTRIES; count += 1) {
    const bytes = await source.read(sectorOffset(sector), sectorBytes)
    if (bytes.length < 128) break
    for (let at = 0; at + 128 <= bytes.length; at += 128) all.push(parseEntry(bytes.subarray(at, at + 128)))
    sector = await nextOf(sector)
  }
  const root = all[0]
  if (root === undefined || root.kind !== 'root') return undefined
  return { rootClsid: root.clsid, entries: siblings(all, root.child), sectorBytes }
}

/** Most of a directory that is kept of a stream: its sectors follow each other in what office programs write. */
const KEPT_DIRECTORY_BYTES = 64 * 1024

/**
 * Where a compound file keeps directory and allocation table, as far as its header tells. Both may lie in its middle,
 * and with them whether a document has macros.
 */
export function directoryRanges(head: Uint8Array): ByteRange[] {
  if (!isOle(head) || head.length < 512) return []
  const header = viewOf(head)
  const shift = header.getUint16(30, true)
  if (shift !== 9 && shift !== 12) return []
  const rangeOf = (sector: number, bytes: number): ByteRange => {
    const start = (sector + 1) * 2 ** shift
    return { start, end: start + bytes - 1 }
  }
  const tables = Array.from({ length: 109 }, (_, index) => header.getUint32(76 + index * 4, true))
  const known = [...new Set(tables)].filter((sector) => sector < END_OF_CHAIN)
  return [
    rangeOf(header.getUint32(48, true), KEPT_DIRECTORY_BYTES),
    ...known.map((sector) => rangeOf(sector, 2 ** shift)),
  ]
}

/** Looks sectors up in the allocation table, whose own sectors the header lists. */
function sectorChain(source: ByteSource, header: DataView, sectorBytes: number): (sector: number) => Promise<number> {
  return async (sector) => {
    const perSector = sectorBytes / 4
    const index = Math.floor(sector / perSector)
    // Tables beyond the first 109 belong to files of over 6 MiB whose directory starts elsewhere; its first sector does.
    if (index >= 109) return END_OF_CHAIN
    const table = header.getUint32(76 + index * 4, true)
    if (table >= END_OF_CHAIN) return END_OF_CHAIN
    const cell = await source.read((table + 1) * sectorBytes + (sector % perSector) * 4, 4)
    return cell.length < 4 ? END_OF_CHAIN : viewOf(cell).getUint32(0, true)
  }
}

const KINDS: Readonly<Record<number, OleEntry['kind']>> = { 1: 'storage', 2: 'stream', 5: 'root' }

function parseEntry(bytes: Uint8Array): OleEntry {
  const view = viewOf(bytes)
  const nameBytes = Math.min(Math.max(view.getUint16(64, true) - 2, 0), 62)
  return {
    name: new TextDecoder('utf-16le').decode(bytes.subarray(0, nameBytes & ~1)),
    kind: KINDS[bytes[66] ?? 0] ?? 'stream',
    left: view.getUint32(68, true),
    right: view.getUint32(72, true),
    child: view.getUint32(76, true),
    clsid: Buffer.from(bytes.subarray(80, 96)).toString('hex'),
    startSector: view.getUint32(116, true),
    size: view.getUint32(120, true),
  }
}

/** The members of one storage: a tree of siblings, walked without trusting that it is one. */
function siblings(all: readonly OleEntry[], first: number): OleEntry[] {
  const found: OleEntry[] = []
  const seen = new Set<number>()
  const waiting = [first]
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    const entry = index === NO_ENTRY || seen.has(index) ? undefined : all[index]
    if (entry === undefined) continue
    seen.add(index)
    found.push(entry)
    waiting.push(entry.left, entry.right)
  }
  return found
}
