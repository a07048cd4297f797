import type { Finding } from './finding.ts'
import { scanJson } from './json.ts'
import { detectTable } from './delimited.ts'
import { typeOfMail } from './mail.ts'
import { typeOfShebang } from './shebang.ts'
import { TEXT_SIGNATURES } from './text-signatures.ts'

const finding = (mime: string, source: Finding['source'], confidence: Finding['confidence']): Finding => ({
  mime,
  source,
  confidence,
})

/**
 * Recognises data formats made of text; everything else is plain text.
 *
 * @param decoded - Start of the text.
 * @param whole - False when the text goes on behind the head.
 */
export function detectDataText(decoded: string, whole: boolean): Finding {
  const text = decoded.charCodeAt(0) === 0xfeff ? decoded.slice(1) : decoded
  const script = typeOfShebang(text)
  if (script !== undefined) return finding(script, 'text', 'certain')
  const start = text.slice(0, 8192)
  for (const [pattern, mime] of TEXT_SIGNATURES) {
    if (pattern.test(start)) return finding(mime, 'signature', 'certain')
  }
  const json = detectJson(text, whole)
  if (json !== undefined) return finding(json, 'data', 'certain')
  const mail = typeOfMail(text)
  if (mail !== undefined) return finding(mail, 'data', 'likely')
  const table = detectTable(text, whole)
  if (table !== undefined) {
    const mime = table.delimiter === '\t' ? 'text/tab-separated-values' : 'text/csv'
    return { ...finding(mime, 'data', 'likely'), flags: table.formula ? ['FORMULA'] : [] }
  }
  return finding('text/plain', 'text', 'likely')
}

function detectJson(text: string, whole: boolean): string | undefined {
  const from = /^\s{0,4096}(?=[{[])/.exec(text)?.[0].length
  if (from === undefined) return undefined
  const scan = scanJson(text, from)
  if (scan.verdict === 'invalid' || (scan.verdict === 'cut' && whole)) return undefined
  if (scan.verdict === 'complete' && scan.end < text.length) {
    return areLines(text, from, whole) ? 'application/x-ndjson' : undefined
  }
  return refineJson(text, scan.keys)
}

/** Lines looked at; a file of this many values is no accident. */
const MOST_LINES = 1000

/** Newline-delimited: every further line holds one value, the last may be cut. */
function areLines(text: string, from: number, whole: boolean): boolean {
  let at = from
  for (let line = 0; at < text.length && line < MOST_LINES; line += 1) {
    const lineEnd = text.indexOf('\n', at)
    if (lineEnd < 0 && !whole) return true
    const value = text.slice(at, lineEnd < 0 ? text.length : lineEnd).trim()
    if (value !== '') {
      const scan = /^[{[]/.test(value) ? scanJson(value, 0) : undefined
      if (scan?.verdict !== 'complete' || scan.end < value.length) return false
    }
    at = lineEnd < 0 ? text.length : lineEnd + 1
  }
  return true
}

const GEOJSON =
  /^(?:Feature|FeatureCollection|Point|MultiPoint|LineString|MultiLineString|Polygon|MultiPolygon|GeometryCollection)$/

function refineJson(text: string, keys: readonly string[]): string {
  const type = /"type"\s*:\s*"(\w+)"/.exec(text.slice(0, 4096))?.[1] ?? ''
  if (keys.includes('type') && GEOJSON.test(type) && /"(?:features|geometry|coordinates|geometries)"\s*:/.test(text)) {
    return 'application/geo+json'
  }
  if (keys.includes('@context')) return 'application/ld+json'
  if (keys.includes('nbformat') && keys.includes('cells')) return 'application/x-ipynb+json'
  if (keys.includes('cells') && keys.includes('metadata') && /"cell_type"\s*:/.test(text.slice(0, 4096)))
    return 'application/x-ipynb+json'
  if (
    keys.includes('asset') &&
    /"asset"\s*:\s*\{[^}]*"version"\s*:\s*"[12]\.\d"/.test(text) &&
    /"(?:meshes|scenes|nodes|accessors)"\s*:/.test(text)
  ) {
    return 'model/gltf+json'
  }
  return 'application/json'
}
