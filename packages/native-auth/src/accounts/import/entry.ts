/** One account of another program, as found there. */
export interface ImportEntry {
  /** Where it stands in the source, from 1. */
  readonly line: number
  readonly username: string
  /** Bcrypt or argon2id string. */
  readonly hash: string
  readonly isAuthorised: boolean
  readonly email?: string | undefined
  /** Base32 secret of the authenticator app, when the account logs in with one. */
  readonly totpSecret?: string | undefined
}

/** A row that could not be read at all. */
export interface UnreadableEntry {
  readonly line: number
  readonly problem: string
}

/** What is wrong with one line of an import. */
export interface ImportProblem {
  readonly line: number
  /** Sentence for people; names no secret. */
  readonly reason: string
  /** `skipped`: there is no account; `without-email`: there is one, its address was not valid. */
  readonly outcome: 'skipped' | 'without-email'
}

/** What became of an import. */
export interface ImportReport {
  readonly imported: number
  /** Accounts that were here already; an import that is run again finds its own. */
  readonly present: number
  readonly problems: readonly ImportProblem[]
}
