/** Where a command reads and writes; a test passes its own. */
export interface CommandIo {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** True when a person looks at standard error. */
  readonly interactive: boolean
  readonly signal: AbortSignal
}

/** A wrong command line: message for the person, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
