/** What the provisioner asks of a container engine, in its own words. One module alone, `docker.ts`, knows dockerode. */
export interface Engine {
  /** Looks at a local image; never pulls. `undefined` when it is not there. */
  image(name: string): Promise<ImageFacts | undefined>
  /**
   * Makes a container. When the connection is cut the container is looked up by its name and attempt.
   * @returns its id, or `name-taken` when a container of that name exists.
   */
  create(plan: ContainerPlan): Promise<{ readonly id: string } | 'name-taken'>
  /** Starts a container; harmless when it runs. Says so when its port is held by somebody else. */
  start(id: string): Promise<'started' | 'port-taken'>
  /** Looks at a container by id or name. `undefined` when it does not exist. */
  inspect(id: string): Promise<ContainerFacts | undefined>
  /** Asks the server to shut down and kills it after `graceMs`. Harmless when it is stopped or gone. */
  stop(id: string, graceMs: number): Promise<void>
  /** Kills and removes a container with its unnamed volumes. Harmless when it is gone. */
  remove(id: string): Promise<void>
  /** Lists containers; with a label only those that carry it. */
  list(filter: { readonly label?: string; readonly running?: boolean }): Promise<readonly ContainerFacts[]>
  /** Writes what a container's processes wrote, line by line. */
  logs(id: string, options: LogOptions): AsyncIterable<string>
  /** Reports what happens to containers with a label, until the signal or the connection ends. */
  events(label: string, signal: AbortSignal): AsyncIterable<ContainerEvent>
  /** Lets the engine start a container again after a crash, at most `times` in a row. */
  restartOnFailure(id: string, times: number): Promise<void>
  /** Runs a program inside a running container, without a shell. */
  exec(id: string, command: readonly string[], streams: ExecStreams): Promise<ExecResult>
  /** Asks the engine for its name and version. */
  version(): Promise<string>
}

/** An image as far as the provisioner cares. */
export interface ImageFacts {
  readonly entrypoint: readonly string[]
  /** Folder inside the container where the volume belongs. */
  readonly volume: string
  /** Postgres' data folder inside the container, at or below `volume`. */
  readonly pgdata: string
  /** Major version that the image names, `undefined` when it does not say. */
  readonly major: number | undefined
}

/** A container to make. */
export interface ContainerPlan {
  readonly name: string
  /** Random, to tell a container of this attempt from another one of the same name. */
  readonly attempt: string
  readonly image: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly uid: number
  readonly gid: number
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[]
  /** Port on 127.0.0.1 that leads to 5432. */
  readonly port: number
  readonly memoryBytes: number
  readonly cpus: number | undefined
  readonly pids: number
}

/** A container as it is. */
export interface ContainerFacts {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly running: boolean
  /** The engine is starting it again after a crash. */
  readonly restarting: boolean
  /** Exit code of a container that ran and ended. */
  readonly exitCode: number | undefined
  readonly outOfMemory: boolean
  /** When it was last started, RFC 3339; `undefined` in lists. */
  readonly startedAt: string | undefined
  /** Process id on the host, `undefined` when it does not run or in lists. */
  readonly pid: number | undefined
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[]
  readonly ports: readonly number[]
}

/** Which lines of a log are wanted. */
export interface LogOptions {
  /** Number of last lines, all when left out. */
  readonly tail?: number | undefined
  /** Keep waiting for new lines. */
  readonly follow?: boolean | undefined
  /** Only lines since this time, RFC 3339. */
  readonly since?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Something that happened to a container. */
export interface ContainerEvent {
  /** The engine's word, such as `start`, `die`, `oom`. */
  readonly action: string
  readonly labels: Readonly<Record<string, string>>
  /** Time, in milliseconds since the epoch. */
  readonly timeMs: number
}

/** Where a program inside a container reads from and writes to. */
interface ExecStreams {
  readonly input?: NodeJS.ReadableStream | undefined
  /** Takes what the program writes, piece by piece; the next piece waits for it. */
  readonly output?: ((chunk: Buffer) => Promise<void>) | undefined
}

/** How a program inside a container ended. */
export interface ExecResult {
  readonly exitCode: number
  /** End of what it wrote to its error stream, at most 8 KiB. */
  readonly errors: string
}
