import type { ByteSource } from '../../source/byte-source.ts'
import type { SniffFlag } from '../../types/result.ts'
import type { Finding } from '../finding.ts'
import { type OleDirectory, readOleDirectory } from './compound.ts'

/** Types by the name of a stream or storage at root level, most telling first. */
const BY_NAME: readonly (readonly [name: string, mime: string])[] = [
  ['EncryptedPackage', 'application/x-ole-encrypted'],
  ['WordDocument', 'application/msword'],
  ['Workbook', 'application/vnd.ms-excel'],
  ['Book', 'application/vnd.ms-excel'],
  ['PowerPoint Document', 'application/vnd.ms-powerpoint'],
  ['PP40', 'application/vnd.ms-powerpoint'],
  ['PP97_DUALSTORAGE', 'application/vnd.ms-powerpoint'],
  ['VisioDocument', 'application/vnd.visio'],
  ['__properties_version1.0', 'application/vnd.ms-outlook'],
  ['__nameid_version1.0', 'application/vnd.ms-outlook'],
  ['Quill', 'application/vnd.ms-publisher'],
  ['MatOST', 'application/vnd.ms-works'],
  ['BodyText', 'application/x-hwp'],
  ['StarWriterDocument', 'application/vnd.stardivision.writer'],
  ['StarCalcDocument', 'application/vnd.stardivision.calc'],
  ['StarDrawDocument', 'application/vnd.stardivision.impress'],
  ['StarDrawDocument3', 'application/vnd.stardivision.impress'],
  ['NativeContent_MAIN', 'application/x-quattro-pro'],
  ['PerfectOffice_MAIN', 'application/vnd.wordperfect'],
]

/** Types by the class of the root storage: its first three fields are stored little-endian. */
const BY_CLASS: Readonly<Record<string, string>> = {
  '84100c0000000000c000000000000046': 'application/x-msi',
  '82100c0000000000c000000000000046': 'application/x-msi',
  '86100c0000000000c000000000000046': 'application/x-msi',
  '3a8fb774c8c8d111be1100c04fb6faf1': 'application/vnd.ms-project',
  '0112020000000000c000000000000046': 'application/vnd.ms-publisher',
}

/** First bytes of main streams, which most writers put right behind the header; for directories out of reach. */
const BY_FIRST_STREAM: readonly (readonly [bytes: readonly number[], mime: string])[] = [
  [[0xec, 0xa5], 'application/msword'],
  [[0x09, 0x08, 0x10, 0x00, 0x00, 0x06, 0x05, 0x00], 'application/vnd.ms-excel'],
  [[0x09, 0x08, 0x08, 0x00, 0x00, 0x05, 0x05, 0x00], 'application/vnd.ms-excel'],
  [[0xa0, 0x46, 0x1d, 0xf0], 'application/vnd.ms-powerpoint'],
  [[0x00, 0x6e, 0x1e, 0xf0], 'application/vnd.ms-powerpoint'],
  [[0x0f, 0x00, 0xe8, 0x03], 'application/vnd.ms-powerpoint'],
]

const MACRO_STORAGES = new Set(['Macros', '_VBA_PROJECT_CUR', 'VBA'])

/** Tells what a compound file holds by the names at its root. */
export async function detectOle(source: ByteSource): Promise<Finding> {
  const directory = await readOleDirectory(source)
  if (directory === undefined) {
    const mime = typeOfFirstStream(source.head) ?? typeOfNamesIn(source.head)
    return { mime: mime ?? 'application/x-cfb', source: 'ole', confidence: mime === undefined ? 'certain' : 'likely' }
  }
  const mime = typeOfDirectory(directory) ?? 'application/x-cfb'
  const flags: SniffFlag[] = []
  if (directory.entries.some((entry) => MACRO_STORAGES.has(entry.name))) flags.push('MACROS')
  if (await isEncrypted(source, directory, mime)) flags.push('ENCRYPTED')
  return { mime, source: 'ole', confidence: 'certain', flags }
}

function typeOfDirectory(directory: OleDirectory): string | undefined {
  const byClass = BY_CLASS[directory.rootClsid]
  if (byClass !== undefined) return byClass
  const names = new Set(directory.entries.map((entry) => entry.name))
  const byName = BY_NAME.find(([name]) => names.has(name))?.[1]
  if (byName !== undefined) return byName
  // Installers write table names in an alphabet of their own, outside anything a program would call a stream.
  if ([...names].some((name) => /^[\u3800-\u4840]+$/.test(name))) return 'application/x-msi'
  if ([...names].some((name) => /^ {2,3}1(?:14|9|12)?$/.test(name)) && names.has('Props'))
    return 'application/vnd.ms-project'
  if (names.has('CONTENTS') && names.has('SPELLING')) return 'application/vnd.ms-works'
  return undefined
}

function typeOfFirstStream(head: Uint8Array): string | undefined {
  return BY_FIRST_STREAM.find(([bytes]) => bytes.every((byte, index) => head[512 + index] === byte))?.[1]
}

/** A directory may lie in the head although the chain to it does not; its names are unmistakable. */
function typeOfNamesIn(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  if (!bytes.includes(Buffer.from('Root Entry\0', 'utf16le'))) return undefined
  return BY_NAME.find(([name]) => bytes.includes(Buffer.from(`${name}\0`, 'utf16le')))?.[1]
}

/** Password protection: a package of its own in new documents, a bit or a record at the start of the main stream in old. */
async function isEncrypted(source: ByteSource, directory: OleDirectory, mime: string): Promise<boolean> {
  const named = (name: string) => directory.entries.find((entry) => entry.name === name)
  if (mime === 'application/x-ole-encrypted' || named('EncryptedSummary') !== undefined) return true
  const main = named('WordDocument') ?? named('Workbook') ?? named('Book')
  // Streams below 4,096 bytes live in a table of their own and are no office document.
  if (main === undefined || main.size < 4096) return false
  const start = await source.read((main.startSector + 1) * directory.sectorBytes, 64)
  if (start.length < 64) return false
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  if (main.name === 'WordDocument')
    return view.getUint16(0, true) === 0xa5ec && (view.getUint16(10, true) & 0x0100) !== 0
  const second = 4 + view.getUint16(2, true)
  return second + 2 <= start.length && view.getUint16(second, true) === 0x2f
}
