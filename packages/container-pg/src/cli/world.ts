/** What a command may use of the world. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes results. */
  readonly out: (text: string) => void
  /** Writes progress and complaints. */
  readonly note: (text: string) => void
  /** Ends what runs until it is told to stop. */
  readonly signal: AbortSignal
}
