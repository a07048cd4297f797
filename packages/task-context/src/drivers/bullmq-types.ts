import type { BackendFactory, IQueueBackend, Queue, Telemetry } from 'bullmq'

/** Settings that both BullMQ drivers share. */
export interface BullOptions {
  /** For example `new BullMQOtel('service')` of bullmq-otel. */
  readonly telemetry?: Telemetry
  /** Keeps done jobs for looking at, and their ids for recognising repeats. @default `{ ageSeconds: 3600, count: 1000 }` */
  readonly keepCompleted?: { readonly ageSeconds: number; readonly count: number }
  /** How long a worker owns a job between two signs of life, in milliseconds. @default 30_000 */
  readonly lockMs?: number
  /** How often workers look for jobs whose worker has died, in milliseconds. @default 30_000 */
  readonly stalledCheckMs?: number
  /** How many workers may die on one job before it is a dead letter. BullMQ's own default is 1. @default 10 */
  readonly maxStalled?: number
}

/** What one of BullMQ's backends needs. */
export interface BullBackend {
  readonly name: string
  readonly connection: unknown
  readonly factory: BackendFactory<IQueueBackend, unknown>
  readonly prefix?: string
  /** Ends the connections of such a backend, where closing them waits for a server that does not answer. */
  readonly cut?: (backend: IQueueBackend) => void
  /** Completed jobs are removed from time to time, not with each completion. */
  readonly sweeps?: boolean
}

/** A queue of any backend. */
export type AnyQueue = Queue<object, unknown, string, object, unknown, string, IQueueBackend, unknown>
