import type { ByteSource } from '../source/byte-source.ts'
import { extensionOf } from '../types/extension.ts'
import { typeOfExtension } from '../types/table.ts'
import type { Finding } from './finding.ts'

/** Text formats without a syntax of their own to check, outside the text family. */
const PLAIN_TEXT_FORMATS = new Set([
  'application/yaml',
  'application/toml',
  'application/x-subrip',
  'application/x-tex',
  'application/x-bibtex',
  'application/json',
  'application/x-ndjson',
])

const OLE_DOCUMENTS =
  /^application\/(?:msword|vnd\.ms-(?:excel|powerpoint|outlook|publisher|project|works)|vnd\.visio|x-msi|x-hwp)$/

/**
 * Lets a file's name choose among the types that its bytes allow, never across them.
 *
 * Plain text may be any text format or script, generic XML any other XML but XHTML and SVG, JSON any JSON, a compound
 * file any document of that container. A name never makes anything HTML, SVG or a picture.
 */
export function refineByName(finding: Finding, filename: string | undefined): Finding {
  const named = filename === undefined ? undefined : typeOfExtension(extensionOf(filename))
  if (named === undefined || named.mime === finding.mime || !allows(finding.mime, named.mime, named.family))
    return finding
  return { ...finding, mime: named.mime, source: 'name', confidence: 'guess' }
}

function allows(found: string, named: string, family: string): boolean {
  switch (found) {
    case 'text/plain':
      // Invalid JSON under a JSON name stays what it is.
      return (
        named !== 'application/json' &&
        named !== 'application/x-ndjson' &&
        (family === 'text' || family === 'script' || PLAIN_TEXT_FORMATS.has(named))
      )
    case 'application/xml':
      return (
        family === 'markup' && named.endsWith('+xml') && named !== 'application/xhtml+xml' && named !== 'image/svg+xml'
      )
    case 'application/json':
      return named.endsWith('+json')
    case 'application/x-cfb':
      return OLE_DOCUMENTS.test(named)
    case 'application/x-ole-encrypted':
      return named.startsWith('application/vnd.openxmlformats-') || named.includes('macroenabled')
    default:
      return false
  }
}

/** Kinds of ELF files, by the type field of their header. */
const ELF_KINDS: Readonly<Record<number, string>> = {
  1: 'application/x-object',
  2: 'application/x-executable',
  3: 'application/x-sharedlib',
  4: 'application/x-coredump',
}

/** Corrects answers of file-type that look at fewer bytes than we have. */
export async function refineSignature(finding: Finding, source: ByteSource): Promise<Finding | undefined> {
  const { head } = source
  if (finding.mime === 'application/x-executable') {
    const kind = head[5] === 2 ? (head[17] ?? 0) : (head[16] ?? 0)
    // Position-independent programs are shared objects that name a loader.
    const program = kind === 3 && Buffer.from(head.subarray(0, 4096)).includes('/ld-')
    return { ...finding, mime: program ? 'application/x-executable' : (ELF_KINDS[kind] ?? finding.mime) }
  }
  if (finding.mime === 'application/x-apple-diskimage') {
    // file-type goes by two bytes that start any zlib stream; an image has a trailer.
    const trailer = source.size === undefined ? head.subarray(0, 0) : await source.read(source.size - 512, 4)
    return Buffer.from(trailer).toString('latin1') === 'koly' ? finding : undefined
  }
  if (finding.mime === 'image/x-icon' && !isIconDirectory(head)) return undefined
  if (finding.mime === 'font/ttf' && !isFontDirectory(head)) return undefined
  return finding
}

/** The four bytes of an icon start many Targa pictures too; an icon lists at least one picture behind its directory. */
function isIconDirectory(head: Uint8Array): boolean {
  if (head.length < 22) return false
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const count = view.getUint16(4, true)
  return count > 0 && count < 1024 && head[9] === 0 && view.getUint32(18, true) >= 6 + 16 * count
}

/** A font's table directory follows its version: a sensible number of tables, the first with a printable tag. */
function isFontDirectory(head: Uint8Array): boolean {
  const tables = ((head[4] ?? 0) << 8) | (head[5] ?? 0)
  return tables > 0 && tables < 256 && /^[\x20-\x7e]{4}$/.test(Buffer.from(head.subarray(12, 16)).toString('latin1'))
}
