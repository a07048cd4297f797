/** What a command may know of its surroundings. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
}
