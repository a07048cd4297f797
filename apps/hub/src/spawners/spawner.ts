/** What a spawner gets to know about the server it starts. */
export interface SpawnRequest {
  readonly user: string
  readonly server: string
  /** URL path of the server, slashes at both ends. */
  readonly prefix: string
  /**
   * The environment of the single-user contract, without the address: each spawner adds
   * `JUPYTERHUB_SERVICE_URL`, since it alone knows what the server binds.
   */
  readonly env: Readonly<Record<string, string>>
  /** Tells those who wait what is going on; percent from 0 to 100. */
  readonly progress: (percent: number, message: string) => void
  /** Aborted when the start is given up. */
  readonly signal: AbortSignal
}

/** A server that was started, or found from before. */
export interface RunningServer {
  /** What finds it again after a crash: JSON, kept in `spawners.state`. */
  readonly state: Readonly<Record<string, unknown>>
  /** Where the proxy reaches it. */
  readonly address: { readonly ip: string; readonly port: number }
  /** Resolves with a reason when it has ended; resolves soon, not at once, for servers that were found. */
  readonly ended: Promise<string>
  /** Why it no longer runs, `undefined` while it does. */
  status(): Promise<string | undefined>
  /** Ends it, politely first. Safe to repeat. Throws when it may still run. */
  stop(): Promise<void>
}

/** A way to run single-user servers. One file each; a contract suite tests them all. */
export interface Spawner extends AsyncDisposable {
  readonly kind: 'process' | 'docker'
  /** Launches a server; it need not answer yet. A failure leaves nothing behind. */
  start(request: SpawnRequest): Promise<RunningServer>
  /** Finds a server again by what {@link RunningServer.state} said; `undefined` when it is gone. */
  adopt(
    state: Readonly<Record<string, unknown>>,
    address: { ip: string; port: number },
  ): Promise<RunningServer | undefined>
  /** Ends what this hub started in a former life and nobody knows any more. Returns how many. */
  sweep(known: readonly RunningServer[]): Promise<number>
  /** Takes on a server that its failed start could not stop: it is ended by {@link Spawner.tidy}. */
  abandon?(user: string, server: string): void
  /** Tries again to end what failed starts had to leave behind. Throws as long as that cannot be done. */
  tidy?(): Promise<void>
  /** The last lines a server wrote. */
  logTail(user: string, server: string): Promise<string>
}
