/**
 * MP4 by any of its brands, and WebM by its document type, as the standard reads them.
 *
 * Looser than file-type, which goes by the first brand and by a whole header; asked after it.
 *
 * @see https://mimesniff.spec.whatwg.org/#matching-an-audio-or-video-type-pattern
 */
export function matchMediaBox(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, LONGEST_BOX))
  if (isMp4(bytes)) return 'video/mp4'
  return isWebm(bytes) ? 'video/webm' : undefined
}

/** Brands are few; a box that claims more than this is something else. */
const LONGEST_BOX = 4096

/** Where a document type has to start, in bytes. */
const LAST_DOCUMENT_TYPE = 38

function isMp4(head: Buffer): boolean {
  if (head.length < 12 || head.toString('latin1', 4, 8) !== 'ftyp') return false
  const size = head.readUInt32BE(0)
  if (size > head.length || size % 4 !== 0) return false
  const isBrand = (at: number): boolean => head.toString('latin1', at, at + 3) === 'mp4'
  if (isBrand(8)) return true
  // The version of the first brand lies between it and the others.
  for (let at = 16; at < size; at += 4) if (isBrand(at)) return true
  return false
}

function isWebm(head: Buffer): boolean {
  if (head.length < 4 || head.readUInt32BE(0) !== 0x1a45dfa3) return false
  for (let at = 4; at < head.length && at < LAST_DOCUMENT_TYPE; at += 1) {
    if (head[at] !== 0x42 || head[at + 1] !== 0x82) continue
    // The length of the value takes as many bytes as its first one has leading zeros, and one; zeros may pad it.
    let value = at + 2 + Math.clz32((head[at + 2] ?? 0) << 24) + 1
    while (head[value] === 0) value += 1
    return head.toString('latin1', value, value + 4) === 'webm'
  }
  return false
}
