/** Reasons this package fails on purpose. A minor release may add codes; none changes meaning. */
export type SoftDeleteErrorCode =
  | 'SOFT_DELETE_CONFIG'
  | 'SOFT_DELETE_NOT_CONFIGURED'
  | 'SOFT_DELETE_DIRECT_DELETE'
  | 'SOFT_DELETE_UPSERT_UNDECIDED'
  | 'SOFT_DELETE_VIEW_UNDECIDED'
  | 'SOFT_DELETE_RAW_SQL'
  | 'SOFT_DELETE_UNSUPPORTED'
  | 'SOFT_DELETE_RESTRICTED'
  | 'SOFT_DELETE_PARENT_TRASHED'
  | 'SOFT_DELETE_CONFLICT'
  | 'SOFT_DELETE_BAD_PARAMETER'
  | 'SOFT_DELETE_UNAUTHENTICATED'
  | 'SOFT_DELETE_FORBIDDEN'

/** Every failure this package raises on purpose. Branch on {@link SoftDeleteError.code}, not on the message. */
export class SoftDeleteError extends Error {
  override readonly name = 'SoftDeleteError'
  readonly code: SoftDeleteErrorCode

  constructor(code: SoftDeleteErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
