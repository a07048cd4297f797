/** A running hub that probes are tried on. It has the users alice, bob, user1, user10, failing and never. */
export interface TestHub extends AsyncDisposable {
  readonly kind: 'jupyterhub' | 'hub'
  readonly port: number
  /** Token of a service that may do everything. */
  readonly token: string
  readonly database: string
  /** Process of the hub itself, which its proxy outlives. */
  readonly pid: number
}
