import { fileTypeFromBuffer } from 'file-type'

import { canonicalType } from '../types/table.ts'
import type { Finding } from './finding.ts'

/** Types with several extensions, among which file-type knows to choose. */
const SHARED = new Set(['audio/ogg', 'application/gzip', 'audio/mp4', 'video/mpeg', 'audio/mpeg'])

/** Asks file-type, with a bounded buffer only: a fault in one of its parsers then costs one bounded read. */
export async function detectSignature(head: Uint8Array): Promise<Finding | undefined> {
  const found = await fileTypeFromBuffer(head)
  if (found === undefined) return undefined
  const mime = canonicalType(found.mime)
  return { mime, source: 'signature', confidence: 'certain', ...(SHARED.has(mime) ? { extension: found.ext } : {}) }
}
