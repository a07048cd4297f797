import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

import { TaskError } from '../errors.ts'
import type { BaseFields } from './fields.ts'
import { actingIn, type TransactionScope } from './transaction.ts'

/** Writes structured lines; the subset that pino, winston and bunyan share. */
export interface Logger {
  info(details: object, message?: string): void
  warn(details: object, message?: string): void
  error(details: object, message?: string): void
}

/** Which job runs, and for the how-manieth time. */
export interface JobInfo {
  readonly id: string
  readonly name: string
  readonly queue: string
  /** 1 for the first attempt. */
  readonly attempt: number
  readonly maxAttempts: number
  /** The schedule that this is a tick of, and the actor who set it up. Who set it up is not acting now. */
  readonly schedule?: { readonly id: string; readonly by?: string }
  /** Reports progress to whoever watches the queue. Not part of the job's transaction. */
  progress(value: number | object): Promise<void>
}

/** What code sees of the request or job it runs in: the fields, and the resources of this one run. */
export type TaskContext<Fields extends object = object, Db = unknown> = BaseFields &
  Fields & {
    /** Aborts when the job is to stop: timeout, deadline, lost lock, shutdown, or the request's own signal. */
    readonly signal: AbortSignal
    /** Bound to request id and job id. */
    readonly log: Logger
    /** The run's own database handle; inside a transaction, that transaction. `undefined` where there is none. */
    readonly db: Db
    /** Absent in a request. */
    readonly job?: JobInfo
  }

/** One entry of the storage. Replaced, never changed, so that parallel branches cannot see each other's. */
export interface Scope {
  readonly context: TaskContext | undefined
  readonly transaction?: TransactionScope | undefined
  /** Set once a job has ended: whatever it left running must not act in its name. */
  readonly life: { ended: boolean }
}

const storage = new AsyncLocalStorage<Scope>()

/** The scope that encloses the caller, dead ones left out. */
export function currentScope(): Scope | undefined {
  const scope = storage.getStore()
  return scope?.life.ended === true ? undefined : scope
}

/**
 * The transaction that the caller acts in, if any; also of a job that has ended.
 *
 * @throws {@link TaskError} `TASK_CLOSED` in what a rolled back one left running.
 */
export function currentTransaction(): TransactionScope | undefined {
  return actingIn(storage.getStore()?.transaction)
}

/** Runs `fn` in a scope, whatever scope the caller is in. */
export function runInScope<T>(scope: Scope, fn: () => T): T {
  return storage.run(scope, fn)
}

/**
 * Runs `fn` outside any scope of any storage of this process.
 *
 * Long-lived loops (workers, relays) start here: a loop built inside a request would run every later job in that
 * request's storage, and in everybody else's, too.
 */
export const runDetached: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot()

/**
 * Tells the context of the job or request that the caller runs in.
 *
 * @throws {@link TaskError} `TASK_NO_CONTEXT` outside of one, and in what a finished job left running.
 */
export function context(): TaskContext {
  const scope = currentScope()
  if (scope?.context === undefined) {
    throw new TaskError(
      'TASK_NO_CONTEXT',
      'Expected to be inside a job or `runInContext`; for a callback that lost its context, wrap it with `bind`',
    )
  }
  return scope.context
}

/** Like {@link context}, but `undefined` instead of an error. */
export function tryContext(): TaskContext | undefined {
  return currentScope()?.context
}

/**
 * Ties a callback to the context of the moment it is bound in.
 *
 * Event emitters, pooled callback interfaces and generators call back in whatever context the *emitter* has.
 */
export function bind<Arguments extends unknown[], Result>(
  callback: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  return AsyncResource.bind(callback) as (...args: Arguments) => Result
}
