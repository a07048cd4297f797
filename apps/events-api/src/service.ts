import type { Tasks } from '@org/task-context'

import type { Accounts } from './accounts.ts'
import type { Description } from './http/description.ts'
import type { Mailer } from './mail.ts'
import type { Metrics } from './metrics.ts'
import type { Registry } from './resources/registry.ts'
import type { Change, Database, Resource, Row, Tx } from './resources/resource.ts'
import type { Signals } from './signals.ts'
import type { SoftDeletion } from './store/trash.ts'
import type { Uploaders } from './uploads.ts'

/** Background jobs as this service types them. */
type ServiceTasks = Tasks<Record<never, never>, Record<never, never>, Database, Tx>

/** Everything that requests and jobs work with; made by `createService`. */
export interface Service {
  readonly db: Database
  readonly registry: Registry
  readonly softDeletion: SoftDeletion
  readonly accounts: Accounts
  readonly tasks: ServiceTasks
  readonly signals: Signals
  readonly uploaders: Uploaders
  /** Largest body of an upload, in bytes. */
  readonly maxUploadBytes: number
  readonly mailer: Mailer
  readonly metrics: Metrics
  /** The routes as their documentation tells of them. */
  readonly operations: readonly Description[]
  /** Whether the service is on its way out: then it is no longer ready, while it still answers. */
  readonly draining: () => boolean
  /**
   * Runs the writing half of a request in a transaction; jobs enqueued inside are part of it.
   *
   * Runs it again when the database chose it as the victim of a deadlock, so it must have no effect elsewhere.
   *
   * @throws {@link ApiError} 409 and 422 where the database refuses; nothing is written then.
   */
  write<T>(resource: Resource, work: (tx: Tx) => Promise<T>): Promise<T>
  /** Tells of a change, within the transaction that makes it. */
  changed(resource: Resource, row: Row, change: Change): Promise<void>
}
