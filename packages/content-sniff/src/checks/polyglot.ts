import { findZipEnd, readTail } from '../layers/zip/records.ts'
import type { ByteSource } from '../source/byte-source.ts'
import type { Family } from '../types/result.ts'

/** Tags that make a browser run or fetch something; in the bytes of a picture they are no accident. */
const STRONG_MARKUP = /<(?:!doctype\s+html|html|head|body|script|iframe|svg|object|embed|\?php|\?=)[\s>/(]/i

/** Any markup at all; asked only of what follows the proper end of a file. */
const ANY_MARKUP = /<(?:[a-z][a-z0-9]*(?:[\s/][^<>]{0,200})?>|!doctype|!--|\?(?:php|xml))/i

/** Where WHATWG sniffers look for tags, and where PDF readers look for their signature. */
const MARKUP_HEAD_BYTES = 1445
const PDF_HEAD_BYTES = 1024

/** Formats that carry an archive at their end by design, or are one. */
const ENDS_IN_ZIP = new Set(['application/x-google-chrome-extension', 'application/x-xpinstall'])

const MEDIA: ReadonlySet<Family> = new Set<Family>(['image', 'audio', 'video'])

/** End marks behind which nothing belongs to the picture. */
const END_MARKS: Readonly<Record<string, Buffer>> = {
  'image/png': Buffer.from('49454e44ae426082', 'hex'),
  'image/apng': Buffer.from('49454e44ae426082', 'hex'),
  'image/gif': Buffer.from('003b', 'hex'),
  'image/jpeg': Buffer.from('ffd9', 'hex'),
  'application/pdf': Buffer.from('%%EOF'),
}

/** Foreign formats that start behind an end mark. */
const APPENDED = [
  'PK\x03\x04',
  'Rar!\x1a\x07',
  '7z\xbc\xaf\x27\x1c',
  '%PDF-',
  '\x7fELF',
  'MZ\x90',
  '#!/',
  '\x1f\x8b\x08',
]

/**
 * Tells whether a second format hides in a file: an archive behind it, markup or a PDF in front of or behind it.
 *
 * Data of no known kind behind a picture does not count; phones append films and depth maps to photographs.
 */
export async function isPolyglot(source: ByteSource, mime: string, family: Family, isText: boolean): Promise<boolean> {
  const head = Buffer.from(source.head.buffer, source.head.byteOffset, source.head.byteLength)
  if (mime !== 'application/pdf' && hidesPdf(head, isText)) return true
  if (MEDIA.has(family) && STRONG_MARKUP.test(head.toString('latin1', 0, MARKUP_HEAD_BYTES))) return true
  if (mime === 'application/pdf' && startsForeign(head)) return true

  const tail = Buffer.from(await readTail(source))
  if (tail.length === 0 || source.size === undefined) return false
  if (!ENDS_IN_ZIP.has(mime) && !startsAsZip(head) && findZipEnd(tail, source.size) !== undefined) return true
  if (MEDIA.has(family) && STRONG_MARKUP.test(tail.toString('latin1'))) return true
  const mark = END_MARKS[mime]
  const end = mark === undefined ? -1 : tail.lastIndexOf(mark)
  if (mark === undefined || end < 0) return false
  const behind = tail.toString('latin1', end + mark.length)
  return ANY_MARKUP.test(behind) || APPENDED.some((start) => behind.includes(start))
}

const startsAsZip = (head: Buffer): boolean => head[0] === 0x50 && head[1] === 0x4b

/** PDF readers accept their signature anywhere in the first kibibyte; in a text it counts at the start of a line. */
function hidesPdf(head: Buffer, isText: boolean): boolean {
  const start = head.toString('latin1', 0, PDF_HEAD_BYTES + 8)
  if (!start.includes('%PDF-')) return false
  return isText ? /[\r\n>]\s*%PDF-\d\.\d/.test(start) : /%PDF-\d\.\d/.test(start)
}

/** Markup between the start of the file and the signature of a PDF, or in the comment lines right behind it. */
function startsForeign(head: Buffer): boolean {
  return STRONG_MARKUP.test(head.toString('latin1', 0, MARKUP_HEAD_BYTES))
}
