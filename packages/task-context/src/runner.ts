import { unseal, type Envelope } from './context/envelope.ts'
import type { FieldCodec, Fields } from './context/fields.ts'
import { makeContext } from './context/make-context.ts'
import { type OpenResources, openResources, type Resources } from './context/resources.ts'
import { type JobInfo, type Logger, runInScope, type TaskContext } from './context/scope.ts'
import { flush, lastTurns, openTransaction, type TransactionScope } from './context/transaction.ts'
import type { Database } from './database.ts'
import type { Outcome, Run } from './drivers/driver.ts'
import { TaskError, toError } from './errors.ts'
import { randomId } from './internal/ids.ts'
import { abortAfter, type Stop } from './internal/stop.ts'
import { isThenable } from './internal/thenable.ts'
import type { Job } from './jobs/define-job.ts'
import { parsePayload, upcast } from './jobs/payload.ts'
import { enter, record } from './outbox/ledger.ts'

/** Which database handle a job gets: a transaction of its own, a connection without one, or nothing. */
export type DatabaseChoice = 'transaction' | 'connection' | 'none'

/** A job and the function that does it, types put aside. */
export interface AnyHandler {
  readonly job: Job
  readonly database: DatabaseChoice | undefined
  readonly run: (payload: unknown, context: TaskContext) => unknown
}

/** All that running a job needs. */
export interface RunnerParts {
  readonly codec: FieldCodec
  readonly secret: string | undefined
  readonly database: Database<unknown> | undefined
  /** Resolves once our tables are there. */
  readonly prepare: () => Promise<void>
  readonly resources: Resources<object> | undefined
  readonly logger: (ids: Readonly<Record<string, unknown>>) => Logger
  readonly onError: (error: Error) => void
  readonly now: () => number
  /** How long an aborted handler may take to stop before its transaction is taken away, in milliseconds. */
  readonly abortGraceMs: number
  /** How long a job that nobody here understands waits for a newer worker, in milliseconds. */
  readonly patienceMs: number
  /** Pause before such a job is looked at again, in milliseconds. */
  readonly skewDelayMs: number
}

const NO_RESOURCES = Object.freeze({})

/** Failures that another attempt cannot cure. */
const FINAL = new Set<string>([
  'TASK_POISON',
  'TASK_FORGED',
  'TASK_CONTEXT_INVALID',
  'TASK_CONTEXT_TOO_LARGE',
  'TASK_PAYLOAD_INVALID',
  'TASK_DEADLINE',
  'TASK_CANCELLED',
  'TASK_NESTING',
  'TASK_UNRECOVERABLE',
])

/** Runs one attempt from envelope to commit, and says what is to become of the job. Never rejects. */
export async function runJob(
  parts: RunnerParts,
  handlers: ReadonlyMap<string, AnyHandler>,
  run: Run,
): Promise<Outcome> {
  try {
    const handler = handlers.get(run.name)
    if (handler === undefined) return unknownJob(parts, run, 'TASK_JOB_UNKNOWN', `a handler for job \`${run.name}\``)
    const envelope = unseal(run.data, run, parts.secret)
    if (envelope.n > handler.job.version) {
      const expected = `version ${handler.job.version} or older of job \`${run.name}\`, got ${envelope.n}`
      return unknownJob(parts, run, 'TASK_VERSION_UNKNOWN', expected)
    }
    const fields = fieldsOf(parts, envelope)
    if (fields.deadline !== undefined && fields.deadline <= parts.now()) {
      throw new TaskError('TASK_DEADLINE', `Expected job \`${run.name}\` to start before its deadline`)
    }
    const parsed = parsePayload(handler.job, upcast(handler.job, envelope.p, envelope.n))
    // Each await of something that is there costs a turn, for each job.
    const payload = parsed instanceof Promise ? ((await parsed) as unknown) : parsed
    const schedule = envelope.s === undefined ? undefined : scheduleOf(envelope)
    return { type: 'completed', value: await execute(parts, handler, run, { fields, payload, schedule }) }
  } catch (thrown) {
    const error = toError(thrown)
    if (error instanceof TaskError && error.code === 'TASK_SHUTDOWN') return { type: 'postponed', delayMs: 0 }
    return { type: 'failed', error, final: isFinal(error) }
  }
}

/** BullMQ's own error for it is known by its name, as BullMQ does, and on every driver: handlers may come from there. */
function isFinal(error: Error): boolean {
  return error instanceof TaskError ? FINAL.has(error.code) : error.name === 'UnrecoverableError'
}

/** A newer worker may know it, so it waits without using up an attempt; but not for ever. */
function unknownJob(parts: RunnerParts, run: Run, code: 'TASK_JOB_UNKNOWN' | 'TASK_VERSION_UNKNOWN', expected: string) {
  const age = parts.now() - run.dueAt
  if (age < parts.patienceMs) return { type: 'postponed', delayMs: parts.skewDelayMs } as const
  const error = new TaskError(code, `Expected ${expected}, and no other worker took it for ${Math.round(age)} ms`)
  return { type: 'failed', error, final: true } as const
}

function scheduleOf({ s = '', c }: Envelope): NonNullable<JobInfo['schedule']> {
  return { id: s, ...(typeof c['a'] === 'string' && { by: c['a'] }) }
}

/** Of a schedule, each tick is its own request: nobody is waiting, and whoever set it up is not acting now. */
function fieldsOf(parts: RunnerParts, envelope: Envelope): Fields {
  const fields = parts.codec.parse(envelope.c)
  if (envelope.s === undefined) return fields
  return parts.codec.read({ ...fields, requestId: randomId(), actor: 'system', trace: undefined, deadline: undefined })
}

async function execute(
  parts: RunnerParts,
  handler: AnyHandler,
  run: Run,
  input: {
    readonly fields: Fields
    readonly payload: unknown
    readonly schedule: JobInfo['schedule']
  },
): Promise<unknown> {
  const { fields, payload, schedule } = input
  const { stop } = run
  const life = { ended: false }
  const endLimits = limit(stop, handler.job, fields.deadline, parts.now)
  let resources: OpenResources | undefined

  /** The handler, inside its scope; stopped from outside when it will not stop by itself. */
  const call = (db: unknown, transaction: TransactionScope | undefined): unknown => {
    // Opening resources and waiting for a connection may have taken longer than there was time.
    stop.throwIfAborted()
    const context = contextOf(parts, run, fields, { db, schedule, resources: resources?.values ?? NO_RESOURCES })
    const answer = runInScope({ context, transaction, life }, () => handler.run(payload, context))
    if (isThenable(answer)) return stop.settle(answer, parts.abortGraceMs)
    stop.throwIfAborted()
    return answer
  }

  try {
    if (parts.resources !== undefined) resources = await openInTime(parts, parts.resources, fields, stop)
    const choice = handler.database ?? (parts.database === undefined ? 'none' : 'transaction')
    return await (choice === 'none' ? call(undefined, undefined) : withDatabase(parts, choice, run, call))
  } catch (error) {
    // What the handler threw while it was being stopped matters less than why it was stopped.
    throw stop.reason ?? error
  } finally {
    life.ended = true
    endLimits?.()
    if (resources !== undefined) for (const error of await resources.close()) parts.onError(error)
  }
}

/** Opens resources; those that come when nobody waits for them any more are closed again. */
async function openInTime(
  { abortGraceMs, onError }: RunnerParts,
  resources: Resources<object>,
  fields: Fields,
  stop: Stop,
): Promise<OpenResources> {
  const opening = openResources(resources, fields, stop.signal)
  try {
    return await stop.settle(opening, abortGraceMs)
  } catch (error) {
    const closeLate = async (late: OpenResources) => {
      for (const failure of await late.close()) onError(failure)
    }
    opening.then(closeLate).catch(() => {})
    throw error
  }
}

/** What the handler sees. */
function contextOf(
  parts: RunnerParts,
  run: Run,
  fields: Fields,
  own: { readonly db: unknown; readonly schedule: JobInfo['schedule']; readonly resources: object },
): TaskContext {
  const { stop, id, name, queue, attempt, maxAttempts, progress } = run
  const { db, schedule, resources } = own
  const job: JobInfo =
    schedule === undefined
      ? { id, name, queue, attempt, maxAttempts, progress }
      : { id, name, queue, attempt, maxAttempts, progress, schedule }
  const signal = () => stop.signal
  const log = () => parts.logger({ requestId: fields.requestId, jobId: id, job: name, attempt })
  return makeContext(fields, { signal, log }, { db, job, resources })
}

/** Starts the time limits of a run, where it has any; returns the way to end them. */
function limit(stop: Stop, job: Job, deadline: number | undefined, now: () => number): (() => void) | undefined {
  const { timeoutMs, name } = job
  if (timeoutMs === undefined && deadline === undefined) return undefined
  const late = (code: 'TASK_TIMEOUT' | 'TASK_DEADLINE', what: string) => () =>
    new TaskError(code, `Job \`${name}\` ran ${what}`)
  const timers = [
    timeoutMs !== undefined && abortAfter(stop, timeoutMs, late('TASK_TIMEOUT', `longer than ${timeoutMs} ms`)),
    deadline !== undefined && abortAfter(stop, deadline - now(), late('TASK_DEADLINE', 'past its deadline')),
  ]
  return () => {
    for (const timer of timers) if (timer !== false) clearTimeout(timer)
  }
}

async function withDatabase(
  parts: RunnerParts,
  choice: 'transaction' | 'connection',
  run: Run,
  call: (db: unknown, transaction: TransactionScope | undefined) => unknown,
): Promise<unknown> {
  const { database, onError } = parts
  const report = (error: unknown) => onError(toError(error))
  if (database === undefined) {
    throw new TaskError('TASK_NO_DATABASE', `Expected a \`database\` for job \`${run.name}\`, which asks for one`)
  }
  if (choice === 'connection') return database.connection(async (handle) => call(handle, undefined))

  await parts.prepare()
  let scope: TransactionScope | undefined
  const result = await database.transaction(async (handle) => {
    const query = (sql: string, parameters: readonly unknown[]) => database.query(handle, sql, parameters)
    const entry = await enter(query, run.queue, run.id)
    if (entry.done) return entry.result
    scope = openTransaction(handle)
    let value: unknown
    try {
      value = await call(handle, scope)
      if (scope.line !== undefined) await lastTurns(scope)
    } finally {
      scope.end = 'rolledBack'
    }
    await record(query, run.queue, run.id, value)
    if (!run.owned()) {
      throw new TaskError('TASK_LOCK_LOST', `Job \`${run.name}\` was no longer ours when it came to commit`)
    }
    run.stop.throwIfAborted()
    return value
  })
  if (scope !== undefined) {
    scope.end = 'committed'
    await flush(scope, report)
  }
  return result
}
