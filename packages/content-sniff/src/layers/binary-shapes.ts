/** Formats without a signature of their own: several fields of the header must make sense together. */
const SHAPES: readonly (readonly [mime: string, matches: (view: DataView, head: Uint8Array) => boolean])[] = [
  ['image/x-portable-bitmap', (_, head) => isPortableMap(head, 0x34)],
  ['image/x-portable-graymap', (_, head) => isPortableMap(head, 0x35)],
  ['image/x-portable-pixmap', (_, head) => isPortableMap(head, 0x36)],
  ['image/vnd.zbrush.pcx', isPcx],
  ['image/x-sgi', (view) => view.getUint16(0) === 0x01da && view.getUint8(2) <= 1 && [1, 2].includes(view.getUint8(3))],
  [
    'image/x-xwindowdump',
    (view) =>
      view.getUint32(4) === 7 && view.getUint32(0) >= 100 && view.getUint32(0) < 0x10000 && view.getUint32(8) <= 2,
  ],
  ['video/x-fli', (view) => isFlic(view, 0xaf11)],
  ['video/x-flc', (view) => isFlic(view, 0xaf12)],
  ['application/x-dbf', isDbf],
  [
    'application/x-stata-dta',
    (view) =>
      [0x69, 0x6c, 0x6e, 0x6f, 0x71, 0x72, 0x73].includes(view.getUint8(0)) &&
      [1, 2].includes(view.getUint8(1)) &&
      view.getUint8(2) === 1 &&
      view.getUint8(3) === 0,
  ],
  ['application/x-lzma', isLzma],
  ['application/pgp-keys', isPublicKey],
  ['application/x-python-bytecode', isPythonBytecode],
  [
    'video/h264',
    (view) =>
      view.getUint32(0) === 1 &&
      [0x67, 0x27].includes(view.getUint8(4)) &&
      [66, 77, 88, 100, 110, 122, 244].includes(view.getUint8(5)),
  ],
  ['application/marc', (_, head) => /^\d{5}[acdnp][a-z]{1,3}[\sa-z0-9]{1,3}22\d{5}/.test(latin1(head, 24))],
  ['image/x-tga', isTarga],
]

/** The type whose header fields fit; weaker evidence than a signature, so it is asked last. */
export function matchShape(head: Uint8Array): string | undefined {
  if (head.length < 24) return undefined
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  return SHAPES.find(([, matches]) => matches(view, head))?.[0]
}

const latin1 = (head: Uint8Array, length: number): string => Buffer.from(head.subarray(0, length)).toString('latin1')

function isPortableMap(head: Uint8Array, kind: number): boolean {
  return (
    head[0] === 0x50 &&
    head[1] === kind &&
    /^P\d\s+(?:#[^\n]*\n\s*)*\d{1,6}\s+(?:#[^\n]*\n\s*)*\d{1,6}\s/.test(latin1(head, 512))
  )
}

function isPcx(view: DataView, head: Uint8Array): boolean {
  return (
    head.length >= 128 &&
    view.getUint8(0) === 0x0a &&
    [0, 2, 3, 4, 5].includes(view.getUint8(1)) &&
    view.getUint8(2) <= 1 &&
    [1, 2, 4, 8].includes(view.getUint8(3)) &&
    view.getUint8(64) === 0 &&
    view.getUint16(8, true) >= view.getUint16(4, true)
  )
}

function isFlic(view: DataView, magic: number): boolean {
  return (
    view.getUint16(4, true) === magic &&
    view.getUint32(0, true) >= 128 &&
    view.getUint16(8, true) > 0 &&
    view.getUint16(8, true) <= 4096
  )
}

function isDbf(view: DataView): boolean {
  const versions = [0x02, 0x03, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8b, 0x8e, 0xcb, 0xf5, 0xfb]
  const header = view.getUint16(8, true)
  const record = view.getUint16(10, true)
  const month = view.getUint8(2)
  const day = view.getUint8(3)
  return (
    versions.includes(view.getUint8(0)) &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 31 &&
    header >= 33 &&
    header <= 32 * 256 &&
    record > 1 &&
    record <= 65_500 &&
    view.getUint16(12) === 0 &&
    [0, 1].includes(header % 32)
  )
}

/** Properties byte, a dictionary of a power of two, and an unknown or sensible size. */
function isLzma(view: DataView): boolean {
  const dictionary = view.getUint32(1, true)
  const high = view.getUint32(9, true)
  const unknown = view.getUint32(5, true) === 0xffffffff && high === 0xffffffff
  const powerOfTwo = dictionary >= 4096 && (dictionary & (dictionary - 1)) === 0
  return view.getUint8(0) === 0x5d && powerOfTwo && (unknown || high < 0x40) && view.getUint8(13) === 0
}

/** An old-format packet with a public key: its length, version 3 or 4, a time and a known algorithm. */
function isPublicKey(view: DataView): boolean {
  const tag = view.getUint8(0)
  if (tag !== 0x98 && tag !== 0x99) return false
  const body = tag === 0x98 ? 2 : 3
  return [3, 4].includes(view.getUint8(body)) && [1, 16, 17, 18, 19, 22].includes(view.getUint8(body + 5))
}

/** Version number and line end; both are part of CPython's magic, followed by flags that use four bits. */
function isPythonBytecode(view: DataView): boolean {
  const version = view.getUint16(0, true)
  if (view.getUint16(2) !== 0x0d0a) return false
  return (
    version === 62_211 || (version >= 3_000 && version < 3_800 && (view.getUint32(4, true) <= 3 || version < 3_392))
  )
}

/** No signature in the first version: image type, depth and origin bits must agree, sizes must not be zero. */
function isTarga(view: DataView): boolean {
  const map = view.getUint8(1)
  const type = view.getUint8(2)
  const depth = view.getUint8(16)
  const width = view.getUint16(12, true)
  const height = view.getUint16(14, true)
  if (
    map > 1 ||
    ![1, 2, 3, 9, 10, 11].includes(type) ||
    width === 0 ||
    height === 0 ||
    width > 16_384 ||
    height > 16_384
  )
    return false
  if ((type === 1 || type === 9) !== (map === 1)) return false
  if (map === 0 && (view.getUint32(3, true) !== 0 || view.getUint8(7) !== 0)) return false
  const depths = type === 2 || type === 10 ? [15, 16, 24, 32] : [8, 16]
  return (
    depths.includes(depth) &&
    (view.getUint8(17) & 0xc0) === 0 &&
    view.getUint16(8, true) <= width &&
    view.getUint16(10, true) <= height
  )
}
