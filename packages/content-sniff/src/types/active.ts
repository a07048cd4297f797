import { describeType } from './table.ts'

/** Types outside the markup and script families that browsers or their plug-ins still run or render as documents. */
const ACTIVE_TYPES = new Set([
  'application/x-shockwave-flash',
  'application/vnd.ms-htmlhelp',
  'application/wasm',
  'application/vnd.adobe.xfdf',
  'application/fdf',
  'message/rfc822',
  'text/css',
])

/** True for types that run, fetch or restyle something when a browser opens them: HTML, SVG, XML, scripts and more. */
export function isActive(mime: string): boolean {
  const { family } = describeType(mime)
  return family === 'markup' || family === 'script' || mime.endsWith('+xml') || ACTIVE_TYPES.has(mime)
}
