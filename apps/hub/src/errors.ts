/** Reasons the hub refuses to start or to go on. A minor release may add codes; none changes meaning. */
export type HubErrorCode =
  | 'HUB_BAD_CONFIG'
  | 'HUB_PORT_TAKEN'
  | 'HUB_ALREADY_RUNNING'
  | 'HUB_DATABASE'
  | 'HUB_PROXY'
  | 'HUB_SPAWN_FAILED'
  | 'HUB_ENGINE_TIMEOUT'
  | 'HUB_USAGE'

/** Every failure the hub raises on purpose outside a request. Branch on {@link HubError.code}. */
export class HubError extends Error {
  override readonly name = 'HubError'
  readonly code: HubErrorCode

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A refusal of one request, answered as `{"status", "message"}` by the API and as a page by the pages. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** The words of an unknown failure, for a log line or a message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
