import { isPolyglot } from './checks/polyglot.ts'
import { checkSoundness } from './checks/soundness.ts'
import { isActiveSvg } from './checks/svg.ts'
import { matchShape } from './layers/binary-shapes.ts'
import { matchCutShort, matchSignature } from './layers/binary-signatures.ts'
import { detectDataText } from './layers/data-text.ts'
import { hasFormula } from './layers/delimited.ts'
import type { Finding } from './layers/finding.ts'
import { detectMarkup } from './layers/markup.ts'
import { matchMediaBox } from './layers/media-boxes.ts'
import { detectOle } from './layers/ole/ole.ts'
import { isOle } from './layers/ole/compound.ts'
import { refineByName, refineSignature } from './layers/refine.ts'
import { detectSignature } from './layers/signature.ts'
import { PDF_START } from './layers/text-signatures.ts'
import { decodeLoosely, type DecodedText, decodeText, isNearlyText, startsLikeMarkup } from './layers/text-test.ts'
import { detectZip, isZip } from './layers/zip/zip.ts'
import type { DeepDetector, ResolvedSniffOptions } from './options.ts'
import { type ByteSource, isWhole } from './source/byte-source.ts'
import { isActive } from './types/active.ts'
import type { SniffFlag, SniffResult } from './types/result.ts'
import { canonicalType, describeType } from './types/table.ts'

/** Runs one layer; one that throws is left out and flagged, since its input may be hostile. */
type Attempt = <T>(layer: () => T | Promise<T>) => Promise<T | undefined>

const UNKNOWN: Finding = { mime: 'application/octet-stream', source: 'none', confidence: 'guess' }
const EMPTY: Finding = { mime: 'application/x-empty', source: 'empty', confidence: 'certain' }

/** Tells what a source is: layers in order of certainty, then the checks that only raise flags. Never throws for content. */
export async function identify(source: ByteSource, options: ResolvedSniffOptions): Promise<SniffResult> {
  if (source.head.length === 0) return describe(EMPTY, undefined, new Set<SniffFlag>(['EMPTY']))
  const flags = new Set<SniffFlag>()
  const attempt: Attempt = async (layer) => {
    try {
      return await layer()
    } catch {
      flags.add('DETECTOR_FAILED')
      return undefined
    }
  }
  const text = await attempt(() => decodeText(source.head, isWhole(source)))
  const found = await findType(source, text, attempt, options.deep)
  const finding = refineByName(found, options.filename)
  for (const flag of finding.flags ?? []) flags.add(flag)
  await attempt(() => check(source, finding, text, flags))
  return describe(finding, text, flags)
}

async function findType(
  source: ByteSource,
  text: DecodedText | undefined,
  attempt: Attempt,
  deep: DeepDetector | undefined,
): Promise<Finding> {
  const { head } = source
  if (startsLikeMarkup(head)) {
    const markup = await attempt(() => detectMarkup(text?.text ?? decodeLoosely(head)))
    if (markup !== undefined) return markup
  }
  // Letters prove nothing in a text, so signatures are asked only where bytes are not certain to be one.
  if (text === undefined || text.charset === undefined) {
    const binary = text?.ascii === true ? undefined : await attempt(() => detectBinary(source))
    if (binary !== undefined) return binary
  }
  if (text !== undefined) {
    return (
      (await attempt(() => detectDataText(text.text, isWhole(source)))) ?? {
        mime: 'text/plain',
        source: 'text',
        confidence: 'guess',
      }
    )
  }
  const shape = await attempt(() => matchShape(head))
  if (shape !== undefined) return { mime: shape, source: 'signature', confidence: 'likely' }
  if (isNearlyText(head)) return { mime: 'text/plain', source: 'text', confidence: 'guess' }
  const second = deep === undefined ? undefined : await attempt(() => deep(head))
  return second === undefined ? UNKNOWN : fromDeep(second)
}

async function detectBinary(source: ByteSource): Promise<Finding | undefined> {
  const { head } = source
  if (isZip(head)) return detectZip(source)
  if (isOle(head)) return detectOle(source)
  if (PDF_START.test(Buffer.from(head.subarray(0, 80)).toString('latin1'))) {
    return { mime: 'application/pdf', source: 'signature', confidence: 'certain' }
  }
  const own = matchSignature(head)
  if (own !== undefined) return { mime: own, source: 'signature', confidence: 'certain' }
  const known = await detectSignature(head)
  if (known !== undefined) return refineSignature(known, source)
  const loose = matchMediaBox(head) ?? matchCutShort(head)
  return loose === undefined ? undefined : { mime: loose, source: 'signature', confidence: 'likely' }
}

/** A second opinion may name inert binary types only: on anything a browser runs, our own layers have the last word. */
function fromDeep(answer: string): Finding {
  const mime = canonicalType(answer)
  const usable =
    mime !== UNKNOWN.mime && /^[\w.+-]+\/[\w.+-]+$/.test(mime) && !mime.startsWith('text/') && !isActive(mime)
  return usable ? { mime, source: 'deep', confidence: 'likely' } : UNKNOWN
}

async function check(
  source: ByteSource,
  finding: Finding,
  text: DecodedText | undefined,
  flags: Set<SniffFlag>,
): Promise<void> {
  const { mime } = finding
  if (isActive(mime)) flags.add('ACTIVE')
  if (mime === 'image/svg+xml' && (await isActiveSvg(source, decodeLoosely))) flags.add('ACTIVE_SVG')
  if (finding.source === 'name' && mime === 'text/csv' && text !== undefined && hasFormula(text.text, ','))
    flags.add('FORMULA')
  if (
    finding.source === 'name' &&
    mime === 'text/tab-separated-values' &&
    text !== undefined &&
    hasFormula(text.text, '\t')
  )
    flags.add('FORMULA')
  const soundness = await checkSoundness(source, mime)
  if (soundness !== 'sound') flags.add(soundness)
  if (await isPolyglot(source, mime, describeType(mime).family, text !== undefined)) flags.add('POLYGLOT')
}

function describe(finding: Finding, text: DecodedText | undefined, flags: ReadonlySet<SniffFlag>): SniffResult {
  const { mime, extension, family } = describeType(finding.mime)
  return {
    mime,
    extension: finding.extension ?? extension,
    charset: text?.charset,
    family,
    confidence: finding.confidence,
    flags: [...flags].sort(),
    source: finding.source,
  }
}
