import { fileTypeFromBuffer } from 'file-type'

import { canonicalType } from '../types/table.ts'
import type { Finding } from './finding.ts'

/** Asks file-type, with a bounded buffer only: a fault in one of its parsers then costs one bounded read. */
export async function detectSignature(head: Uint8Array): Promise<Finding | undefined> {
  const found = await fileTypeFromBuffer(head)
  if (found === undefined) return undefined
  return { mime: canonicalType(found.mime), source: 'signature', confidence: 'certain' }
}
