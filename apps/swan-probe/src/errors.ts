/**
 * Reasons this app reports on purpose. `PROBE_USAGE` and `PROBE_CONFIG` stop a run before it starts; every other
 * code is a verdict of one probe and stands in the reports as its `code`.
 */
export type ProbeErrorCode =
  | 'PROBE_USAGE'
  | 'PROBE_CONFIG'
  | 'PROBE_TIMEOUT'
  | 'PROBE_STUCK'
  | 'PROBE_CANCELLED'
  | 'PROBE_NEEDS'
  | 'PROBE_CRASHED'
  | 'PROBE_THRESHOLD'
  | 'PROBE_FILE'
  | 'PROBE_NO_SPACE'
  | 'PROBE_NOT_MOUNTED'
  | 'PROBE_CORRUPT'
  | 'PROBE_HUB_UNREACHABLE'
  | 'PROBE_HUB_TLS'
  | 'PROBE_HUB_ANSWER'
  | 'PROBE_HUB_DATABASE'
  | 'PROBE_HUB_BUSY'
  | 'PROBE_TOKEN_REJECTED'
  | 'PROBE_USER_UNKNOWN'
  | 'PROBE_SPAWN_FAILED'
  | 'PROBE_SESSION_FOREIGN'
  | 'PROBE_SESSION_MISSING'
  | 'PROBE_DB_FILE'
  | 'PROBE_DB_LOCKED'
  | 'PROBE_DB_SCHEMA'
  | 'PROBE_DB_STATE'
  | 'PROBE_DOCKER_UNREACHABLE'
  | 'PROBE_CONTAINER_MISSING'
  | 'PROBE_CONTAINER_STATE'
  | 'PROBE_CONTAINER_EXEC'

/** Every failure this app raises on purpose. Branch on {@link ProbeError.code}, not on the message. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError'
  readonly code: ProbeErrorCode

  constructor(code: ProbeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Gives the message of whatever was thrown, in one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')
}
