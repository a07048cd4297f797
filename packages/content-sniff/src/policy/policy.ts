import type { Family, SniffFlag } from '../types/result.ts'
import { canonicalType } from '../types/table.ts'
import { INERT_INLINE_TYPES } from './inline.ts'

/**
 * What happens with an upload that breaks a rule.
 *
 * - `enforce`: it is refused, before or at the latest when its last byte arrives; nothing is stored.
 * - `correct`: a wrong or missing declared type is replaced by the true one and served as a download; types that are
 *   not allowed, bombs and polyglots are refused.
 * - `report`: stored under its true type as a download, with the violations in the result.
 */
export type PolicyMode = 'enforce' | 'correct' | 'report'

/** Rules of an uploader. Limits on size and time hold in every mode. */
export interface UploadPolicy {
  /** @default 'enforce' */
  readonly mode?: PolicyMode
  /**
   * What may be stored: media types, families (`'image'`, `'document'`) or whole top levels (`'audio/*'`).
   * @default everything but executables, scripts and unknown data
   */
  readonly allow?: readonly (Family | (string & {}))[]
  /**
   * Types that a browser may show in place; all others are downloads. Listing an active type (HTML, SVG, XML) makes it
   * inline under a sandbox, scripts off.
   * @default raster images, audio, video, PDF and plain text
   */
  readonly inline?: readonly string[]
  /**
   * Flags that do not count as a violation.
   * @default ['ACTIVE', 'ACTIVE_SVG', 'FORMULA', 'DETECTOR_FAILED']
   */
  readonly tolerate?: readonly SniffFlag[]
  /**
   * What to do with zero bytes.
   * @default 'reject'
   */
  readonly empty?: 'reject' | 'allow'
  /**
   * Largest upload, in bytes. The first byte beyond it ends the upload.
   * @default 104_857_600
   */
  readonly maxBytes?: number
  /**
   * Longest wait for the next chunk of a source, in milliseconds; 0 waits for ever.
   * @default 30_000
   */
  readonly idleTimeoutMs?: number
  /**
   * Slowest average of a source, in bytes per second, measured once `idleTimeoutMs` has passed; 0 for no minimum.
   * @default 0
   */
  readonly minBytesPerSecond?: number
}

/** A policy after defaults, with its types in canonical spelling. */
export interface ResolvedPolicy {
  readonly mode: PolicyMode
  readonly allow: ReadonlySet<string> | undefined
  readonly inline: ReadonlySet<string>
  readonly tolerate: ReadonlySet<SniffFlag>
  readonly empty: 'reject' | 'allow'
  readonly maxBytes: number
  readonly idleTimeoutMs: number
  readonly minBytesPerSecond: number
}

const TOLERATED: readonly SniffFlag[] = ['ACTIVE', 'ACTIVE_SVG', 'FORMULA', 'DETECTOR_FAILED']

/** Checks a policy and fills in defaults. */
export function resolvePolicy(policy: UploadPolicy): ResolvedPolicy {
  const number = (name: 'maxBytes' | 'idleTimeoutMs' | 'minBytesPerSecond', fallback: number): number => {
    const value = policy[name] ?? fallback
    if (typeof value !== 'number' || !(value >= 0)) {
      throw new RangeError(`Expected \`${name}\` to be a number of at least 0, got \`${String(value)}\``)
    }
    return value
  }
  const mode = policy.mode ?? 'enforce'
  if (mode !== 'enforce' && mode !== 'correct' && mode !== 'report') {
    throw new RangeError(`Expected \`mode\` to be enforce, correct or report, got \`${String(mode)}\``)
  }
  return {
    mode,
    allow: policy.allow === undefined ? undefined : new Set(policy.allow.map(canonicalType)),
    inline: new Set((policy.inline ?? INERT_INLINE_TYPES).map(canonicalType)),
    tolerate: new Set(policy.tolerate ?? TOLERATED),
    empty: policy.empty ?? 'reject',
    maxBytes: number('maxBytes', 104_857_600),
    idleTimeoutMs: number('idleTimeoutMs', 30_000),
    minBytesPerSecond: number('minBytesPerSecond', 0),
  }
}
