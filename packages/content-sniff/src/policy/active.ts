import { describeType } from '../types/table.ts'

/**
 * Types of no scripting family that browsers or their plug-ins still run or render as documents.
 *
 * `multipart/related` is MHTML; a style sheet fetches and restyles; XDP and XFDF open as PDF forms.
 */
const ACTIVE_TYPES = new Set([
  'application/x-shockwave-flash',
  'application/vnd.ms-htmlhelp',
  'application/hta',
  'application/wasm',
  'text/css',
  'text/calendar',
  'multipart/related',
  'message/rfc822',
  'application/vnd.mozilla.xul+xml',
])

/** True for types that run, fetch or restyle something when a browser opens them: HTML, SVG, XML, scripts and more. */
export function isActive(mime: string): boolean {
  const { family } = describeType(mime)
  return family === 'markup' || family === 'script' || mime.endsWith('+xml') || ACTIVE_TYPES.has(mime)
}

/** Types that no browser runs and every browser shows; the default of `inline`. */
export const INERT_INLINE_TYPES: readonly string[] = [
  'image/jpeg',
  'image/png',
  'image/apng',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/bmp',
  'image/x-icon',
  'image/jxl',
  'audio/mpeg',
  'audio/aac',
  'audio/mp4',
  'audio/ogg',
  'audio/opus',
  'audio/flac',
  'audio/wav',
  'audio/webm',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'application/pdf',
  'text/plain',
]
