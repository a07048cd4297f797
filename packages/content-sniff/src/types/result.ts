/** What a thing is, coarsely; allow-lists may name a family instead of listing its types. */
export type Family =
  | 'image'
  | 'audio'
  | 'video'
  | 'font'
  | 'document'
  | 'text'
  | 'markup'
  | 'data'
  | 'mail'
  | 'archive'
  | 'model'
  | 'script'
  | 'executable'
  | 'unknown'

/**
 * Something about the bytes that a type alone does not say.
 *
 * - `POLYGLOT`: a second format hides in it (an archive behind a picture, markup in front of a PDF).
 * - `TRUNCATED`: the format announces more bytes than there are. `TOO_SHORT`: a signature and nothing to show for it.
 * - `MACROS`: office macros. `ENCRYPTED`: contents need a password. `BOMB`: unpacks to far more than it should.
 * - `ACTIVE`: a browser would run or fetch something when it opens it. `ACTIVE_SVG`: an SVG that really does.
 * - `FORMULA`: a table with cells that a spreadsheet would run.
 * - `EMPTY`: zero bytes. `DETECTOR_FAILED`: a parser threw, the answer comes from what was left.
 */
export type SniffFlag =
  | 'ACTIVE'
  | 'ACTIVE_SVG'
  | 'BOMB'
  | 'DETECTOR_FAILED'
  | 'EMPTY'
  | 'ENCRYPTED'
  | 'FORMULA'
  | 'MACROS'
  | 'POLYGLOT'
  | 'TOO_SHORT'
  | 'TRUNCATED'

/** How sure an answer is: by signature and structure, by likely syntax, or by the file name within the found family. */
export type Confidence = 'certain' | 'likely' | 'guess'

/** Which part of the engine answered. */
export type SniffSource = 'empty' | 'signature' | 'text' | 'markup' | 'data' | 'zip' | 'ole' | 'deep' | 'name' | 'none'

/** What the bytes are. */
export interface SniffResult {
  /** Media type without parameters, lower case. `application/octet-stream` when nothing is known. */
  readonly mime: string
  /** Usual file extension without a dot, `bin` when nothing is known. */
  readonly extension: string
  /** Character set of a text, `undefined` for binary data and for text whose encoding is not certain. */
  readonly charset: string | undefined
  readonly family: Family
  readonly confidence: Confidence
  /** Sorted, without repeats. */
  readonly flags: readonly SniffFlag[]
  readonly source: SniffSource
}
