/**
 * Reasons container-pg fails. A minor release may add codes; none changes meaning.
 */
export type ContainerPgErrorCode =
  | 'EMBEDDED_NO_BINARIES'
  | 'EMBEDDED_NO_USER'
  | 'EMBEDDED_DATA_DIR_FOREIGN'
  | 'EMBEDDED_DATA_DIR_IN_USE'
  | 'EMBEDDED_INIT_FAILED'
  | 'EMBEDDED_START_FAILED'
  | 'PORT_TAKEN'
  | 'VERSION_MISMATCH'

/** What an error carries beside its code and message. */
export interface ContainerPgErrorOptions extends ErrorOptions {
  /** What the reader can do about it, one sentence. */
  readonly remedy?: string | undefined
  /** Last lines that the server or its container wrote. */
  readonly logTail?: readonly string[] | undefined
}

/** Every failure this package raises on purpose. Branch on {@link ContainerPgError.code}, not on the message. */
export class ContainerPgError extends Error {
  override readonly name = 'ContainerPgError'
  readonly code: ContainerPgErrorCode
  /** What the reader can do about it, one sentence; `undefined` when the message says it all. */
  readonly remedy: string | undefined
  /** Last lines that the server or its container wrote; empty when it never ran. */
  readonly logTail: readonly string[]

  constructor(code: ContainerPgErrorCode, message: string, options: ContainerPgErrorOptions = {}) {
    const { remedy, logTail = [], ...rest } = options
    super(message, rest)
    this.code = code
    this.remedy = remedy
    this.logTail = logTail
  }
}
