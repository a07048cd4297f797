/** What the command line adds to a file. */
export interface LoadOptions {
  /** Folder that relative paths of the file start from; `undefined` leaves them as they are, for a container to say. */
  readonly base: string | undefined
  /** The user's folder (`-p`), for storage probes whose path the file leaves out. */
  readonly userPath: string | undefined
  readonly env: NodeJS.ProcessEnv
}
