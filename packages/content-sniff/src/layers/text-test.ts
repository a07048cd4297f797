/** Text as the layers read it: decoded leniently, with its encoding where that is certain. */
export interface DecodedText {
  readonly text: string
  /** Registered charset name, `undefined` when several fit. */
  readonly charset: string | undefined
  /** True when nothing but ASCII occurs; file signatures made of letters then prove nothing. */
  readonly ascii: boolean
}

const TEXT = 0
const BINARY = 1
const HIGH = 2

/** Classes of bytes after https://mimesniff.spec.whatwg.org/#binary-data-byte. */
const BYTE_CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return HIGH
  const control = byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f)
  return control ? BINARY : TEXT
})

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
const latin1 = new TextDecoder('latin1')

/**
 * Decodes a head that holds no binary data, `undefined` when it does.
 *
 * @param head - Start of the file.
 * @param whole - True when the head is the whole file; otherwise the last character may be cut.
 */
export function decodeText(head: Uint8Array, whole: boolean): DecodedText | undefined {
  const utf16 = utf16Label(head)
  if (utf16 !== undefined) return decodeUtf16(head, utf16)
  if (head[0] === 0xff && head[1] === 0xfe && head[2] === 0 && head[3] === 0) return undefined

  // By index: the most travelled loop of all, and an iterator makes it several times slower.
  let classes = 0
  for (let at = 0; at < head.length; at += 1) {
    classes |= BYTE_CLASS[head[at] as number] as number
    if ((classes & BINARY) !== 0) return undefined
  }
  if (classes === TEXT) return { text: latin1.decode(head), charset: whole ? 'us-ascii' : undefined, ascii: true }
  try {
    return {
      text: utf8.decode(whole ? head : head.subarray(0, lastCharacterEnd(head))),
      charset: 'utf-8',
      ascii: false,
    }
  } catch {
    return { text: latin1.decode(head), charset: undefined, ascii: false }
  }
}

/**
 * True for text with a few stray control characters, as old printer files and shell scripts have them: valid UTF-8, no
 * NUL, fewer than one such byte in a hundred.
 */
export function isNearlyText(head: Uint8Array): boolean {
  let odd = 0
  for (let at = 0; at < head.length; at += 1) {
    if (head[at] === 0) return false
    if (BYTE_CLASS[head[at] as number] === BINARY) odd += 1
  }
  if (odd * 100 > head.length) return false
  try {
    utf8.decode(head.subarray(0, lastCharacterEnd(head)))
    return true
  } catch {
    return false
  }
}

/** True when the first character that is no white space, in any encoding told by its bytes, opens a tag. */
export function startsLikeMarkup(head: Uint8Array): boolean {
  for (let at = 0; at < head.length; at += 1) {
    const byte = head[at] ?? 0
    if (byte === 0x3c) return true
    const space = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d && byte !== 0x0b) || byte === 0
    const mark = at < 3 && (byte === 0xef || byte === 0xbb || byte === 0xbf || byte === 0xff || byte === 0xfe)
    if (!space && !mark) return false
  }
  return false
}

/** Decodes whatever may be markup for a lenient reader, even where binary bytes follow. */
export function decodeLoosely(head: Uint8Array): string {
  const utf16 = utf16Label(head)
  return utf16 === undefined ? latin1.decode(head) : new TextDecoder(utf16).decode(head)
}

function utf16Label(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const [first, second, third, fourth] = head
  if (first === 0xff && second === 0xfe) return third === 0 && fourth === 0 ? undefined : 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  return utf16WithoutMark(head)
}

/** Most characters of any UTF-16 text with spaces, line ends or tags have a zero half, always the same one. */
function utf16WithoutMark(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const sample = head.subarray(0, 512)
  if (sample.length < 4) return undefined
  let evenZeros = 0
  let oddZeros = 0
  for (let at = 0; at + 1 < sample.length; at += 2) {
    if (sample[at] === 0) evenZeros += 1
    if (sample[at + 1] === 0) oddZeros += 1
  }
  const pairs = Math.floor(sample.length / 2)
  if (oddZeros * 10 >= pairs * 7 && evenZeros === 0) return 'utf-16le'
  if (evenZeros * 10 >= pairs * 7 && oddZeros === 0) return 'utf-16be'
  return undefined
}

function decodeUtf16(head: Uint8Array, label: 'utf-16le' | 'utf-16be'): DecodedText | undefined {
  const text = new TextDecoder(label).decode(head.subarray(0, head.length & ~1))
  // Compressed audio may start with the bytes of a mark; its code units soon break a rule of the encoding.
  let odd = 0
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80 ? BYTE_CLASS[unit] === BINARY : unit === 0xfffd || unit >= 0xfffe) odd += 1
  }
  // One replacement character may come from a pair that the head cuts.
  return odd > 1 ? undefined : { text, charset: label, ascii: false }
}

/** End of the last complete UTF-8 character: a lead byte with too few followers is left out. */
function lastCharacterEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return back < needed ? bytes.length - back : bytes.length
    }
    if (byte < 0x80) break
  }
  return bytes.length
}
