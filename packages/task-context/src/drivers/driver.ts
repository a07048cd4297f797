import type { Queue } from 'bullmq'

import type { Envelope } from '../context/envelope.ts'
import type { Stop } from '../internal/stop.ts'
import type { Backoff } from '../jobs/define-job.ts'

/** Keeps one of many enqueues; passed on to BullMQ. @see https://docs.bullmq.io/guide/jobs/deduplication */
export interface Deduplication {
  readonly id: string
  /** For how long; without it until the job is finished. */
  readonly ttlMs?: number
  /** Start `ttlMs` anew on each repeated enqueue. */
  readonly extend?: boolean
  /** Let the newest payload win, while the job is delayed. */
  readonly replace?: boolean
}

/** A job on its way into a queue. */
export interface JobRecord {
  readonly id: string
  readonly queue: string
  readonly name: string
  readonly data: Envelope
  readonly options: RecordOptions
}

/** Plain data, as it also waits in the outbox. */
export interface RecordOptions {
  readonly attempts: number
  readonly backoff: Backoff
  readonly delayMs?: number
  readonly priority?: number
  readonly lifo?: boolean
  readonly deduplication?: Deduplication
  /** Trace of the enqueuing span, captured while that span was active. */
  readonly telemetry?: string
}

/** What became of an enqueue. */
export interface Added {
  /** The job that will run: an earlier one when deduplicated. */
  readonly id: string
  readonly deduplicated: boolean
}

/** Runs SQL on the handle of a transaction and returns the rows. */
export type Query = (sql: string, parameters: readonly unknown[]) => Promise<Record<string, unknown>[]>

/** One attempt of one job, as a driver hands it to the runner. */
export interface Run {
  readonly id: string
  readonly queue: string
  readonly name: string
  readonly data: unknown
  /** 1 for the first. */
  readonly attempt: number
  readonly maxAttempts: number
  /** When it could first run: enqueued, and its delay over. In milliseconds since the epoch. */
  readonly dueAt: number
  /** Aborted by the driver: lock lost, cancelled, shutdown; by the runner: timeout, deadline. */
  readonly stop: Stop
  /** Whether the job is still surely ours; asked right before a commit. */
  readonly owned: () => boolean
  readonly progress: (value: number | object) => Promise<void>
}

/** What the runner wants done with the job. */
export type Outcome =
  | { readonly type: 'completed'; readonly value: unknown }
  /** `final` failures are not tried again. */
  | { readonly type: 'failed'; readonly error: Error; readonly final: boolean }
  /** Back into the queue with no attempt used. */
  | { readonly type: 'postponed'; readonly delayMs: number }

/** Settings of the workers of one queue. */
export interface WorkOptions {
  readonly concurrency: number
  /** At most `max` jobs per `durationMs`, over all workers of the queue. */
  readonly limiter?: { readonly max: number; readonly durationMs: number }
  /** Wait for running jobs this long before they are aborted, in milliseconds. */
  readonly drainMs: number
  readonly onError: (error: Error) => void
}

/** A running consumer of one queue. */
export interface DriverWorker {
  readonly ready: () => Promise<void>
  /** Aborts one running job. Answers whether it was running here. */
  readonly cancel: (id: string, reason: Error) => boolean
  /** Stops fetching, lets jobs finish for `drainMs`, then aborts the rest and hands them back. */
  readonly close: () => Promise<void>
}

/** A job that will not run again by itself. */
export interface DeadLetter {
  readonly id: string
  readonly queue: string
  readonly name: string
  readonly reason: string
  readonly attempts: number
  readonly failedAt: number
}

/** A repeated job. Give one of `pattern` and `everyMs`. */
export interface ScheduleTiming {
  /** Cron pattern, five or six places. */
  readonly pattern?: string
  readonly everyMs?: number
  /** IANA name, for `pattern`. @default UTC */
  readonly timeZone?: string
}

/** A setting of the server that loses jobs one day. */
export interface DriverWarning {
  readonly code: 'TASK_REDIS_EVICTS' | 'TASK_REDIS_FORGETS'
  readonly message: string
}

/** The seam between jobs and where they wait. One file implements it, one contract suite tests it. */
export interface Driver extends AsyncDisposable {
  readonly name: string
  /**
   * How an enqueue inside a transaction becomes part of it: `native` by SQL in that transaction, `outbox` by a row
   * that a relay delivers, `buffer` by memory that is dropped on rollback.
   */
  readonly enlist: 'native' | 'outbox' | 'buffer'
  readonly add: (records: readonly JobRecord[]) => Promise<Added[]>
  /** Only of `native` drivers. */
  readonly addWithin?: (query: Query, records: readonly JobRecord[]) => Promise<Added[]>
  readonly work: (queue: string, process: (run: Run) => Promise<Outcome>, options: WorkOptions) => DriverWorker
  readonly schedule: (id: string, timing: ScheduleTiming, template: JobRecord) => Promise<void>
  readonly unschedule: (queue: string, id: string) => Promise<boolean>
  readonly deadLetters: (queue: string, limit: number) => Promise<DeadLetter[]>
  readonly redrive: (queue: string, id: string) => Promise<boolean>
  /** The BullMQ queue, where there is one. */
  readonly queue: (name: string) => Queue | undefined
  /** Telemetry of the span that is active now, to be stored with a job that is delivered later. */
  readonly captureTelemetry?: () => string | undefined
  /** Looks at how the server is set up, through the connection of a queue; asked for when a worker starts. */
  readonly inspect?: (queue: string) => Promise<readonly DriverWarning[]>
}
