import type { ByteSource } from '../source/byte-source.ts'

/** An SVG up to this size is read whole; a larger one counts as active, since nobody looked at all of it. */
const LOOKED_AT_BYTES = 1024 * 1024

/** Elements that run or embed something, whatever their prefix. */
const ACTIVE_ELEMENTS =
  /<(?:[\w.-]{1,64}:)?(?:script|foreignobject|iframe|object|embed|handler|listener|audio|video|html|body|link|meta)\b/i

/** Event handlers, `javascript:` in any attribute, entities, foreign style sheets and imports. */
const ACTIVE_PARTS =
  /[\s/"']on[a-z]{3,32}\s*=|javascript\s*:|<!ENTITY|<\?xml-stylesheet|@import|\burl\(\s*["']?(?!#|data:image\/(?:png|jpeg|gif|webp)|["']?\s*#)[^)\s]/i

/** Any prefix may stand in front; it makes no difference. */
const LINK = /href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/gi

/** Animations can turn a harmless link into another, or set a handler. */
const ANIMATED = /attributeName\s*=\s*["']?\s*(?:[\w.-]{1,64}:)?(?:href|on\w+)/i

/** Tells whether an SVG runs, fetches or embeds anything beyond its own shapes and raster pictures. */
export async function isActiveSvg(source: ByteSource, decode: (bytes: Uint8Array) => string): Promise<boolean> {
  if (source.size === undefined || source.size > LOOKED_AT_BYTES) return true
  const bytes = source.size === source.head.length ? source.head : await source.read(0, source.size)
  if (bytes.length < source.size) return true
  const text = decode(bytes)
  if (ACTIVE_ELEMENTS.test(text) || ACTIVE_PARTS.test(text) || ANIMATED.test(text)) return true
  for (const [, double, single, bare] of text.matchAll(LINK)) {
    // A reference written with entities is not worth decoding: no honest picture hides its own links.
    const target = (double ?? single ?? bare ?? '').trim()
    if (target !== '' && !/^#|^data:image\/(?:png|jpeg|gif|webp)[;,]/i.test(target)) return true
  }
  return false
}
