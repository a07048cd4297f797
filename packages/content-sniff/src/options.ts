import { DEFAULT_HEAD_BYTES } from './source/byte-source.ts'

/** A second opinion on binary heads; never called with text. Returns a media type or nothing. */
export type DeepDetector = (head: Uint8Array) => string | undefined | Promise<string | undefined>

/** Options of {@link sniff} and {@link sniffStream}. */
export interface SniffOptions {
  /**
   * Bytes looked at from the start. Minimum 1,445.
   * @default 65_536
   * @see https://mimesniff.spec.whatwg.org/#reading-the-resource-header (the minimum)
   */
  readonly headBytes?: number
  /**
   * Name of the file. It may refine an answer within its family (a plain text named `.csv` is CSV), never cross it: a
   * text named `.png` stays a text, and nothing becomes HTML or SVG by its name.
   */
  readonly filename?: string
  /**
   * Asked about binary data that nothing else knows, for instance libmagic through `createDeepDetector`.
   * @default none
   */
  readonly deep?: DeepDetector
}

/** Options after defaults. */
export interface ResolvedSniffOptions {
  readonly headBytes: number
  readonly filename: string | undefined
  readonly deep: DeepDetector | undefined
}

/** Checks options and fills in defaults. */
export function resolveSniffOptions(options: SniffOptions): ResolvedSniffOptions {
  const headBytes = options.headBytes ?? DEFAULT_HEAD_BYTES
  if (!Number.isInteger(headBytes) || headBytes < 1445) {
    throw new RangeError(`Expected \`headBytes\` to be an integer of at least 1445, got \`${headBytes}\``)
  }
  return { headBytes, filename: options.filename, deep: options.deep }
}
