import type { Finding } from './layers/finding.ts'
import { detectMarkup } from './layers/markup.ts'
import { detectSignature } from './layers/signature.ts'
import { decodeLoosely, type DecodedText, decodeText } from './layers/text-test.ts'
import type { ResolvedSniffOptions } from './options.ts'
import { type ByteSource, isWhole } from './source/byte-source.ts'
import type { SniffFlag, SniffResult } from './types/result.ts'
import { describeType } from './types/table.ts'

const UNKNOWN: Finding = { mime: 'application/octet-stream', source: 'none', confidence: 'guess' }

/** Runs the layers in order; a layer that throws is left out and flagged. */
export async function identify(source: ByteSource, _options: ResolvedSniffOptions): Promise<SniffResult> {
  if (source.size === 0 || source.head.length === 0) {
    return describe(
      { mime: 'application/x-empty', source: 'empty', confidence: 'certain', flags: ['EMPTY'] },
      undefined,
    )
  }
  const flags = new Set<SniffFlag>()
  const attempt = async <T>(layer: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await layer()
    } catch {
      flags.add('DETECTOR_FAILED')
      return undefined
    }
  }
  const text = await attempt(() => decodeText(source.head, isWhole(source)))
  const markup = await attempt(() => detectMarkup(text?.text ?? decodeLoosely(source.head)))
  const finding =
    markup ??
    (text?.ascii === true ? undefined : await attempt(() => detectSignature(source.head))) ??
    (text === undefined ? UNKNOWN : { mime: 'text/plain', source: 'text', confidence: 'likely' })
  for (const flag of finding.flags ?? []) flags.add(flag)
  return describe({ ...finding, flags: [...flags] }, text)
}

function describe(finding: Finding, text: DecodedText | undefined): SniffResult {
  const { mime, extension, family } = describeType(finding.mime)
  return {
    mime,
    extension,
    charset: finding.charset ?? text?.charset,
    family,
    confidence: finding.confidence,
    flags: [...(finding.flags ?? [])].sort(),
    source: finding.source,
  }
}
