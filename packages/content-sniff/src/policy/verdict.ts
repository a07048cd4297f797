import { SniffError, type SniffErrorCode } from '../errors.ts'
import type { SniffFlag, SniffResult } from '../types/result.ts'
import { canonicalType, describeType, typeOfExtension } from '../types/table.ts'
import { agrees } from './agreement.ts'
import { extensionOf } from '../types/extension.ts'
import type { PolicyMode, ResolvedPolicy } from './policy.ts'

/** A broken rule. */
export interface Violation {
  readonly code: Extract<
    SniffErrorCode,
    'SNIFF_EMPTY_INPUT' | 'SNIFF_REJECTED' | 'SNIFF_TYPE_MISMATCH' | 'SNIFF_TYPE_NOT_ALLOWED' | 'SNIFF_TYPE_UNKNOWN'
  >
  /** What was expected and what came. */
  readonly message: string
  /** The flag behind a `SNIFF_REJECTED`. */
  readonly flag?: SniffFlag
}

/** What a client claims about its upload. */
export interface Claim {
  /** Cleaned file name. */
  readonly filename: string | undefined
  /** Content-Type as sent. */
  readonly declaredType: string | undefined
}

/** What was decided about an upload. */
export interface Verdict {
  readonly disposition: 'inline' | 'attachment'
  readonly violations: readonly Violation[]
}

/** Dangerous whatever the mode corrects: unpacking or reading these as their first format is what an attacker wants. */
const NEVER_CORRECTED: ReadonlySet<SniffFlag> = new Set<SniffFlag>(['BOMB', 'POLYGLOT'])

/**
 * Judges what the bytes are against what the policy allows and what the client claims.
 *
 * @throws {@link SniffError} with the code of the first violation that the mode does not accept.
 */
export function judge(result: SniffResult, claim: Claim, policy: ResolvedPolicy): Verdict {
  const violations = [...violationsOf(result, claim, policy)]
  for (const violation of violations) {
    if (refuses(policy.mode, violation)) throw new SniffError(violation.code, violation.message)
  }
  const inline = violations.length === 0 && policy.inline.has(result.mime)
  return { disposition: inline ? 'inline' : 'attachment', violations }
}

function refuses(mode: PolicyMode, violation: Violation): boolean {
  if (violation.code === 'SNIFF_EMPTY_INPUT' || mode === 'enforce') return true
  if (mode === 'report') return false
  if (violation.flag !== undefined) return NEVER_CORRECTED.has(violation.flag)
  return violation.code === 'SNIFF_TYPE_NOT_ALLOWED'
}

function* violationsOf(result: SniffResult, claim: Claim, policy: ResolvedPolicy): Generator<Violation> {
  if (result.flags.includes('EMPTY')) {
    if (policy.empty === 'reject')
      yield { code: 'SNIFF_EMPTY_INPUT', message: 'Expected a file with content, got 0 bytes' }
    return
  }
  if (!isAllowed(result.mime, policy)) {
    const unknown = result.mime === 'application/octet-stream'
    yield unknown
      ? { code: 'SNIFF_TYPE_UNKNOWN', message: 'Expected a file of a known type, the bytes match none' }
      : {
          code: 'SNIFF_TYPE_NOT_ALLOWED',
          message: `Expected a type that the policy allows, the bytes are ${result.mime}`,
        }
  }
  const byName = claim.filename === undefined ? undefined : typeOfExtension(extensionOf(claim.filename))
  if (
    byName !== undefined &&
    (byName.family === 'script' || byName.family === 'executable') &&
    !isAllowed(byName.mime, policy)
  ) {
    yield {
      code: 'SNIFF_TYPE_NOT_ALLOWED',
      message: `Expected a name that the policy allows, its extension stands for ${byName.mime}`,
    }
  }
  if (claim.declaredType !== undefined && !agrees(result.mime, claim.declaredType)) {
    yield {
      code: 'SNIFF_TYPE_MISMATCH',
      message: `Expected bytes of the declared type ${canonicalType(claim.declaredType).slice(0, 100)}, they are ${result.mime}`,
    }
  }
  for (const flag of result.flags) {
    if (!policy.tolerate.has(flag)) {
      yield { code: 'SNIFF_REJECTED', flag, message: `Expected a sound file, this ${result.mime} is flagged ${flag}` }
    }
  }
}

function isAllowed(mime: string, policy: ResolvedPolicy): boolean {
  const { family } = describeType(mime)
  if (policy.allow !== undefined) {
    return (
      policy.allow.has(mime) || policy.allow.has(family) || policy.allow.has(`${mime.slice(0, mime.indexOf('/'))}/*`)
    )
  }
  return family !== 'script' && family !== 'executable' && family !== 'unknown'
}
