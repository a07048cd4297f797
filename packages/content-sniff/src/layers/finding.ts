import type { Confidence, SniffFlag, SniffSource } from '../types/result.ts'

/** What one layer found; the engine adds extension and family. */
export interface Finding {
  readonly mime: string
  readonly source: SniffSource
  readonly confidence: Confidence
  readonly flags?: readonly SniffFlag[]
  /** Only where it differs from the type's usual one. */
  readonly extension?: string
}
