/**
 * Reasons container-pg fails. A minor release may add codes; none changes meaning. The README has a line on each.
 */
export type ContainerPgErrorCode =
  // What the caller asked for
  | 'INVALID_INPUT'
  | 'NOT_FOUND'
  | 'NAME_TAKEN'
  | 'NOT_RUNNING'
  | 'WRONG_PASSWORD'
  // Folders
  | 'STORAGE_REFUSED'
  | 'STORAGE_IN_USE'
  | 'STORAGE_FOREIGN'
  | 'STORAGE_MISSING'
  | 'VERSION_MISMATCH'
  | 'DISK_FULL'
  // Ports
  | 'PORT_TAKEN'
  // The engine and the image
  | 'ENGINE_UNREACHABLE'
  | 'ENGINE_TIMEOUT'
  | 'ENGINE_FAILED'
  | 'IMAGE_MISSING'
  | 'IMAGE_UNFIT'
  // The server
  | 'SERVER_FAILED'
  | 'SERVER_RECOVERING'
  | 'OUT_OF_MEMORY'
  | 'INIT_SCRIPT_FAILED'
  | 'BUSY'
  // Backups
  | 'DATABASE_EXISTS'
  | 'DUMP_FAILED'
  | 'DUMP_DAMAGED'
  | 'RESTORE_FAILED'
  // The embedded server
  | 'EMBEDDED_NO_BINARIES'
  | 'EMBEDDED_NO_USER'
  | 'EMBEDDED_DATA_DIR_FOREIGN'
  | 'EMBEDDED_DATA_DIR_IN_USE'
  | 'EMBEDDED_INIT_FAILED'
  | 'EMBEDDED_START_FAILED'

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
  /** Last lines that the server or its container wrote; empty when it never ran. Holds no password. */
  readonly logTail: readonly string[]

  constructor(code: ContainerPgErrorCode, message: string, options: ContainerPgErrorOptions = {}) {
    const { remedy, logTail = [], ...rest } = options
    super(message, rest)
    this.code = code
    this.remedy = remedy
    this.logTail = logTail
  }
}
