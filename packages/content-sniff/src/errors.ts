/** Reasons content-sniff fails. A minor release may add codes; none changes meaning. */
export type SniffErrorCode =
  | 'SNIFF_ABORTED'
  | 'SNIFF_BAD_KEY'
  | 'SNIFF_BAD_METADATA'
  | 'SNIFF_EMPTY_INPUT'
  | 'SNIFF_EXISTS'
  | 'SNIFF_IDLE_SOURCE'
  | 'SNIFF_NOT_FOUND'
  | 'SNIFF_REJECTED'
  | 'SNIFF_SLOW_SOURCE'
  | 'SNIFF_SOURCE_FAILED'
  | 'SNIFF_STORE_FAILED'
  | 'SNIFF_TOO_LARGE'
  | 'SNIFF_TRUNCATED'
  | 'SNIFF_TYPE_MISMATCH'
  | 'SNIFF_TYPE_NOT_ALLOWED'
  | 'SNIFF_TYPE_UNKNOWN'

/** Every failure this package raises on purpose. Branch on {@link SniffError.code}, not on the message. */
export class SniffError extends Error {
  override readonly name = 'SniffError'
  readonly code: SniffErrorCode

  constructor(code: SniffErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
