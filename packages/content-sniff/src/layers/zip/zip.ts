import type { ByteSource } from '../../source/byte-source.ts'
import type { SniffFlag } from '../../types/result.ts'
import { isKnownType } from '../../types/table.ts'
import type { Finding } from '../finding.ts'
import { readMember } from './member.ts'
import { typeOfContentTypes, typeOfPackageFolders, withMacros } from './office.ts'
import { findZipEnd, MOST_ENTRIES, readDirectory, readTail, type ZipDirectory, type ZipEntry } from './records.ts'

/** Most of `[Content_Types].xml` that is ever unpacked. */
const CONTENT_TYPES_BYTES = 256 * 1024

/** Unpacked sizes below this are harmless at any ratio. */
const SMALL_BYTES = 1024 * 1024

/** True for the first bytes of a zip archive: a member, an empty archive, or a part of a split one. */
export function isZip(head: Uint8Array): boolean {
  if (head[0] !== 0x50 || head[1] !== 0x4b) return false
  return (head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6) || (head[2] === 7 && head[3] === 8)
}

/** Tells what is packed in a zip archive by its names, and looks for bombs, macros and encryption. */
export async function detectZip(source: ByteSource): Promise<Finding> {
  const end = source.size === undefined ? undefined : findZipEnd(await readTail(source), source.size)
  const directory = await readDirectory(source, end)
  const flags = new Set<SniffFlag>()
  if (source.size !== undefined && end === undefined) flags.add('TRUNCATED')
  if (isBomb(directory, source.size)) flags.add('BOMB')
  if (directory.entries.some((entry) => entry.encrypted)) flags.add('ENCRYPTED')

  const names = new Set(directory.entries.map((entry) => entry.name))
  const macros = directory.entries.some((entry) => /(?:^|\/)vbaProject\.bin$/i.test(entry.name))
  let mime = await typeOfMembers(source, directory, names)
  if (macros && mime !== undefined) mime = withMacros(mime)
  if (macros || mime?.includes('macroenabled') === true) flags.add('MACROS')
  if (
    mime?.startsWith('application/vnd.oasis.') === true &&
    directory.entries.some((entry) => /^Basic\/.+\/.+\.xml$/.test(entry.name))
  ) {
    flags.add('MACROS')
  }
  return { mime: mime ?? 'application/zip', source: 'zip', confidence: 'certain', flags: [...flags] }
}

async function typeOfMembers(
  source: ByteSource,
  directory: ZipDirectory,
  names: ReadonlySet<string>,
): Promise<string | undefined> {
  const text = async (entry: ZipEntry | undefined, limit: number): Promise<string> =>
    entry === undefined ? '' : new TextDecoder().decode(await readMember(source, entry, directory.shift, limit))
  const named = (name: string): ZipEntry | undefined => directory.entries.find((entry) => entry.name === name)

  const declared = (await text(named('mimetype'), 128))
    .replace(/^\ufeff/, '')
    .trim()
    .toLowerCase()
  if (/^application\/[\w.+-]+$/.test(declared) && isKnownType(declared)) return declared

  const types = named('[Content_Types].xml')
  if (types !== undefined) {
    if (names.has('extension.vsixmanifest')) return 'application/vsix'
    if (names.has('AppxManifest.xml'))
      return names.has('AppxBlockMap.xml') && names.has('AppxMetadata/CodeIntegrity.cat')
        ? 'application/msix'
        : 'application/appx'
    for (const name of names) if (/^[^/]+\.nuspec$/.test(name)) return 'application/x-nuget'
    const office = typeOfContentTypes(await text(types, CONTENT_TYPES_BYTES)) ?? typeOfPackageFolders(names)
    if (office !== undefined) return office
  }
  return (
    (await typeOfIwork(source, directory, names)) ??
    typeOfNames(directory.entries, names) ??
    typeOfPackageFolders(names)
  )
}

function typeOfNames(entries: readonly ZipEntry[], names: ReadonlySet<string>): string | undefined {
  if (names.has('AndroidManifest.xml') && (names.has('classes.dex') || names.has('resources.arsc'))) {
    return 'application/vnd.android.package-archive'
  }
  if (names.has('install.rdf') || names.has('META-INF/mozilla.rsa') || names.has('META-INF/cose.sig'))
    return 'application/x-xpinstall'
  if (names.has('META-INF/MANIFEST.MF')) return 'application/java-archive'
  if (names.has('3D/3dmodel.model')) return 'model/3mf'
  if (names.has('META-INF/container.xml') && [...names].some((name) => name.endsWith('.opf')))
    return 'application/epub+zip'
  const first = entries[0]
  if (first !== undefined && first.method === 0 && /\.usd[acz]?$/.test(first.name)) return 'model/vnd.usdz+zip'
  for (const name of names) {
    if (/^Payload\/[^/]+\.app\//.test(name)) return 'application/x-ios-app'
    if (/^[^/]+\.dist-info\/WHEEL$/.test(name)) return 'application/x-python-wheel'
  }
  if (names.has('doc.kml') || (first !== undefined && /^[^/]+\.kml$/.test(first.name)))
    return 'application/vnd.google-earth.kmz'
  if ([...names].some((name) => /^(?!.*\$).+\.class$/.test(name)) && names.has('META-INF/'))
    return 'application/java-archive'
  return undefined
}

/** Message type of a Pages document, as the first object of its main archive names it: field 1, value 10,000. */
const PAGES_DOCUMENT = Buffer.from([0x08, 0x90, 0x4e])

async function typeOfIwork(
  source: ByteSource,
  directory: ZipDirectory,
  names: ReadonlySet<string>,
): Promise<string | undefined> {
  if (names.has('index.apxl') || names.has('index.apxl.gz')) return 'application/vnd.apple.keynote'
  if (names.has('Index.zip')) return 'application/x-iwork'
  if (
    names.has('index.xml') &&
    (names.has('buildVersionHistory.plist') || [...names].some((name) => name.startsWith('QuickLook/')))
  ) {
    return legacyIwork(source, directory)
  }
  const main = directory.entries.find((entry) => entry.name === 'Index/Document.iwa')
  if (main === undefined) return undefined
  const start = Buffer.from(await readMember(source, main, directory.shift, 256))
  if (start.subarray(0, 64).includes(PAGES_DOCUMENT)) return 'application/vnd.apple.pages'
  const list = [...names]
  if (list.some((name) => /^Index\/(?:MasterSlide|Slide|TemplateSlide)/.test(name)))
    return 'application/vnd.apple.keynote'
  if (start.length > 0 || list.some((name) => name.startsWith('Index/Tables/'))) return 'application/vnd.apple.numbers'
  return 'application/vnd.apple.pages'
}

/** Documents of 2005 to 2009 say what they are in the name of their root element. */
async function legacyIwork(source: ByteSource, directory: ZipDirectory): Promise<string> {
  const index = directory.entries.find((entry) => entry.name === 'index.xml')
  const xml =
    index === undefined ? '' : Buffer.from(await readMember(source, index, directory.shift, 4096)).toString('latin1')
  return /<ls:document/.test(xml) ? 'application/vnd.apple.numbers' : 'application/vnd.apple.pages'
}

/** Too many members, far more content than bytes, members that share their bytes, or an archive that holds itself. */
function isBomb(directory: ZipDirectory, size: number | undefined): boolean {
  if (directory.claimed > MOST_ENTRIES) return true
  let packed = 0
  let unpacked = 0
  for (const entry of directory.entries) {
    packed += entry.packedBytes
    unpacked += entry.unpackedBytes
    const nested = /\.(?:zip|jar|gz|tgz|bz2|xz|7z|rar)$/i.test(entry.name)
    if (nested && size !== undefined && directory.central && entry.unpackedBytes >= size) return true
  }
  if (unpacked > SMALL_BYTES && unpacked > 100 * Math.max(packed, 1)) return true
  if (size === undefined || !directory.central) return false
  // 64-bit archives write a placeholder here; their size on disk then is of that order too.
  return (
    packed > 2 * size &&
    unpacked > SMALL_BYTES &&
    !directory.entries.some((entry) => entry.packedBytes === 0xffffffff && size > 0xffffffff)
  )
}
