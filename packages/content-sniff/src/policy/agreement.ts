import { canonicalType, describeType } from '../types/table.ts'

/** Claims that say nothing. */
const NO_CLAIM = new Set(['', 'application/octet-stream', 'application/x-empty', '*/*'])

/** Pairs of types whose bytes cannot be told apart, or only deep inside the file. */
const SAME_BYTES: readonly (readonly string[])[] = [
  ['video/webm', 'audio/webm', 'video/matroska', 'audio/x-matroska'],
  ['video/ogg', 'audio/ogg', 'audio/opus', 'application/ogg', 'audio/x-speex'],
  ['video/mp4', 'audio/mp4', 'video/x-m4v', 'video/quicktime', 'video/3gpp', 'video/3gpp2'],
  ['video/x-ms-asf', 'video/x-ms-wmv', 'audio/x-ms-wma'],
  ['image/png', 'image/apng'],
  ['image/heic', 'image/heif', 'image/heic-sequence', 'image/heif-sequence'],
  ['application/gzip', 'application/x-gtar'],
  ['application/postscript', 'application/eps', 'application/illustrator'],
  ['application/pdf', 'application/illustrator'],
  [
    'application/json',
    'application/ld+json',
    'application/geo+json',
    'application/manifest+json',
    'model/gltf+json',
    'application/x-ipynb+json',
    'application/x-ndjson',
  ],
]

/** Text formats without a syntax of their own to check, so that any text may claim them. */
const ANY_TEXT = new Set([
  'application/yaml',
  'application/toml',
  'application/x-subrip',
  'application/x-tex',
  'application/x-bibtex',
])

const TABLES = new Set(['text/csv', 'text/tab-separated-values', 'text/plain'])

/**
 * Tells whether a declared type fits what was found: the same, another spelling, a generic word for it, or a name that
 * the bytes cannot contradict. Text never agrees with a claim of something active.
 */
export function agrees(found: string, declared: string): boolean {
  const claim = canonicalType(declared)
  if (NO_CLAIM.has(claim) || claim === found) return true
  if (SAME_BYTES.some((group) => group.includes(found) && group.includes(claim))) return true
  const to = describeType(claim)
  const from = describeType(found)
  // What browsers on Windows call any table where Excel is installed.
  if (claim === 'application/vnd.ms-excel') return TABLES.has(found)
  if (found === 'text/plain') return to.family === 'text' || ANY_TEXT.has(claim)
  if (claim === 'text/plain') return from.family === 'text' || from.family === 'data'
  if (found === 'application/xml')
    return claim.endsWith('+xml') && claim !== 'application/xhtml+xml' && claim !== 'image/svg+xml'
  if (claim === 'application/xml')
    return found.endsWith('+xml') && found !== 'application/xhtml+xml' && found !== 'image/svg+xml'
  if (claim === 'application/json') return found.endsWith('+json')
  return false
}
