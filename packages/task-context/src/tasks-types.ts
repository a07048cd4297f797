import type { Queue } from 'bullmq'

import type { BaseFields, FieldSchemas, FieldValues } from './context/fields.ts'
import type { ReadFields } from './context/middleware.ts'
import type { Resources } from './context/resources.ts'
import type { Logger, TaskContext } from './context/scope.ts'
import type { Database } from './database.ts'
import type { DeadLetter, Deduplication, Driver, ScheduleTiming, WorkOptions } from './drivers/driver.ts'
import type { SandboxProcessor } from './drivers/sandbox.ts'
import type { Job, RetryOptions } from './jobs/define-job.ts'
import type { Relay, RelayOptions } from './outbox/relay.ts'
import type { DatabaseChoice } from './runner.ts'

/** What {@link createTasks} takes. */
export interface TasksOptions<Fields extends FieldSchemas, R extends object, Db, Trx extends Db> {
  /** Where jobs wait: `redisDriver` or `postgresDriver`; `memoryDriver` without a server, `testDriver` in tests. Closed with the tasks. */
  readonly driver: Driver
  /** Gives each job a transaction of its own, and enqueueing a transaction to wait for. */
  readonly database?: Database<Db, Trx>
  readonly context?: {
    /** Fields to carry beside the usual ones. What is not listed does not travel. */
    readonly fields?: Fields
    /** Most context per job, in bytes of JSON. @default 4096 */
    readonly maxBytes?: number
  }
  /** Signs each job, so that who can write to the queue cannot choose an actor. Without it the queue is trusted. */
  readonly secret?: string
  /** Opened for each job and closed after it, in reverse order. */
  readonly resources?: Resources<R>
  /** Makes the logger of a request or job. @default one that says nothing */
  readonly logger?: (ids: Readonly<Record<string, unknown>>) => Logger
  /** Hears of what nobody can be told otherwise: lost connections, after-commit errors, failed teardowns. @default `console.error` */
  readonly onError?: (error: Error) => void
  /** Clock, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
  /** How long an aborted job may take to stop before its transaction is rolled back under it. @default 5000 */
  readonly abortGraceMs?: number
  /** How long a job that no worker here understands waits for a newer one, then it is a dead letter. @default 3_600_000 */
  readonly patienceMs?: number
  /** Pause before such a job is looked at again. @default 5000 */
  readonly skewDelayMs?: number
  /** How long an enqueue waits for the queue's answer. @default 10_000 */
  readonly enqueueTimeoutMs?: number
  readonly relay?: RelayOptions
}

/** How one job is enqueued; passed on to BullMQ where it knows it. */
export interface EnqueueOptions<Trx = unknown> extends RetryOptions {
  /**
   * Names this very job. A second enqueue under the id is the same job: it has no second effect, for as long as the
   * queue or the ledger remembers the first.
   */
  readonly id?: string
  /** Start no earlier than this, in milliseconds from now. */
  readonly delayMs?: number
  readonly priority?: number
  readonly lifo?: boolean
  readonly deduplication?: Deduplication
  /** Give up unless the job has started and ended within this time, in milliseconds from now. */
  readonly deadlineMs?: number
  /** A transaction that was opened elsewhere, to enqueue in. Inside `tasks.transaction` it is found by itself. */
  readonly transaction?: Trx
}

/** What became of an enqueue. */
export interface Enqueued {
  /** Id of the job that will run: of an earlier one where deduplicated. */
  readonly id: string
  /** Nothing was added, as an earlier job stands for it; that one keeps its own context. */
  readonly deduplicated: boolean
  /** Waits for the commit of a transaction; whether it is deduplicated shows only then. */
  readonly deferred: boolean
}

/** The function that does a job, made by {@link Tasks.handle}. */
export interface Handler {
  readonly job: Job
  readonly database: DatabaseChoice | undefined
  readonly run: (payload: never, context: never) => unknown
}

/** Settings of {@link Tasks.worker}. */
export interface WorkerOptions extends Partial<Omit<WorkOptions, 'onError'>> {
  /** Close the worker when the process gets one of these, for example `['SIGTERM', 'SIGINT']`. @default none */
  readonly closeOn?: readonly NodeJS.Signals[]
  /** Deliver the outbox in this process, too. @default true */
  readonly relay?: boolean
}

/** A running worker. Disposing closes it. */
export interface TaskWorker extends AsyncDisposable {
  /** Resolves once it can take jobs. */
  readonly ready: () => Promise<void>
  /** Aborts a job that runs in this worker; it fails for good. */
  readonly cancel: (id: string) => boolean
  /**
   * Takes no more jobs, waits `drainMs` for running ones, aborts the rest and hands them back, no attempt used.
   */
  readonly close: () => Promise<void>
}

/** Entry to the package: enqueue and run jobs in a context. Made by {@link createTasks}. */
export interface Tasks<
  Fields extends FieldSchemas = FieldSchemas,
  R extends object = object,
  Db = unknown,
  Trx extends Db = Db,
> extends AsyncDisposable {
  readonly driver: Driver
  /**
   * Creates our tables where they are missing; safe to repeat. A worker does it by itself; a process that only enqueues
   * through an outbox calls it at its start.
   */
  readonly migrate: () => Promise<void>
  readonly enqueue: <Input, Payload>(
    job: Job<string, Input, Payload>,
    payload: Input,
    options?: EnqueueOptions<Trx>,
  ) => Promise<Enqueued>
  /** Enqueues many of one kind at once: all or, where one is refused, none. */
  readonly enqueueMany: <Input, Payload>(
    job: Job<string, Input, Payload>,
    payloads: readonly Input[],
    options?: Omit<EnqueueOptions<Trx>, 'id' | 'deduplication'>,
  ) => Promise<Enqueued[]>
  readonly handle: <Input, Payload, Choice extends DatabaseChoice = 'transaction'>(
    job: Job<string, Input, Payload>,
    run: (
      payload: Payload,
      context: HandlerContext<Fields, R, { transaction: Trx; connection: Db; none: undefined }[Choice]>,
    ) => unknown,
    options?: { readonly database?: Choice },
  ) => Handler
  readonly worker: (handlers: readonly Handler[], options?: WorkerOptions) => TaskWorker
  /**
   * Makes the function that a file exports by default which BullMQ's `Worker` is to run in child processes or threads.
   * The child needs tasks of its own. All handlers have to be of one queue.
   */
  readonly sandbox: (handlers: readonly Handler[]) => SandboxProcessor
  /** Starts delivering the outbox in a process that has no worker. */
  readonly relay: () => Relay
  /** Runs `fn` in a context of its own. Fields that are not allowed are dropped, not carried. */
  readonly runInContext: <T>(
    fields: Partial<BaseFields> & FieldValues<Fields>,
    fn: (context: TaskContext<FieldValues<Fields>, Db | undefined>) => T,
    options?: { readonly signal?: AbortSignal },
  ) => T
  /** {@link context} with the types of these tasks. */
  readonly context: () => TaskContext<FieldValues<Fields>, Db | undefined>
  /**
   * Runs `fn` in a transaction: jobs enqueued and `afterCommit` signals sent inside wait for its commit and vanish
   * with its rollback. Inside another one it is a savepoint, and everything waits for the outermost.
   */
  readonly transaction: <T>(fn: (handle: Trx) => Promise<T>) => Promise<T>
  /** Middleware for fetch-style servers such as Hono: `app.use((c, next) => mw(c.req.raw, next))`. */
  readonly middleware: (
    read?: ReadFields<Partial<BaseFields> & FieldValues<Fields>>,
  ) => <Answer>(request: Request, next: () => Answer | Promise<Answer>) => Promise<Answer>
  /** Repeats a job. Each tick has a fresh request id and the actor `system`. Replaces the schedule of that id. */
  readonly schedule: <Input, Payload>(
    id: string,
    timing: ScheduleTiming,
    job: Job<string, Input, Payload>,
    payload: Input,
  ) => Promise<void>
  readonly unschedule: (job: Pick<Job, 'queue'>, id: string) => Promise<boolean>
  /** Jobs that will not run again by themselves, newest first. */
  readonly deadLetters: (queue?: string, limit?: number) => Promise<DeadLetter[]>
  /** Gives a dead letter all its attempts back. Answers whether there was one. */
  readonly redrive: (letter: Pick<DeadLetter, 'id' | 'queue'>) => Promise<boolean>
  /** Forgets ledger entries older than `olderThanMs`; a job under such an id could then have its effect again. */
  readonly pruneLedger: (olderThanMs: number) => Promise<number>
  /** BullMQ's own queue behind a job, for all that is not wrapped here; `undefined` with drivers that are not BullMQ. */
  readonly queue: (job: Pick<Job, 'queue'> | string) => Queue | undefined
}

/** What a handler gets beside its payload. */
export type HandlerContext<Fields extends FieldSchemas, R extends object, Db> = TaskContext<FieldValues<Fields>, Db> & {
  readonly job: NonNullable<TaskContext['job']>
  readonly resources: Readonly<R>
}
