import { unseal, type Envelope } from './context/envelope.ts'
import type { FieldCodec, Fields } from './context/fields.ts'
import { openResources, type Resources } from './context/resources.ts'
import { type JobInfo, type Logger, runInScope, type Scope, type TaskContext } from './context/scope.ts'
import { flush, openTransaction, type TransactionScope } from './context/transaction.ts'
import type { Database } from './database.ts'
import type { Outcome, Run } from './drivers/driver.ts'
import { TaskError, toError } from './errors.ts'
import { randomId } from './internal/ids.ts'
import { combineSignals, settleWithin, type Stop } from './internal/stop.ts'
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
    return { type: 'failed', error, final: error instanceof TaskError && FINAL.has(error.code) }
  }
}

/** A newer worker may know it, so it waits without using up an attempt; but not for ever. */
function unknownJob(parts: RunnerParts, run: Run, code: 'TASK_JOB_UNKNOWN' | 'TASK_VERSION_UNKNOWN', expected: string) {
  const age = parts.now() - run.enqueuedAt
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
  const { job } = handler
  const { fields, payload, schedule } = input
  const info: JobInfo = {
    id: run.id,
    name: run.name,
    queue: run.queue,
    attempt: run.attempt,
    maxAttempts: run.maxAttempts,
    progress: run.progress,
    ...(schedule !== undefined && { schedule }),
  }
  const log = parts.logger({ requestId: fields.requestId, jobId: run.id, job: run.name, attempt: run.attempt })
  using stop = limit(run, job, fields.deadline, parts.now)
  const signal = stop?.signal ?? run.signal
  const life = { ended: false }
  const resources = parts.resources === undefined ? undefined : await openResources(parts.resources, fields, signal)

  /** The handler, inside its scope; stopped from outside when it will not stop by itself. */
  const call = async (db: unknown, transaction: TransactionScope | undefined): Promise<unknown> => {
    const own = { signal, log, db, job: info, resources: resources?.values ?? NO_RESOURCES }
    // On the fields themselves, which were made for this run and have no prototype.
    const context = Object.freeze(Object.assign(fields, own)) as unknown as TaskContext
    const scope: Scope = { context, transaction, life }
    const answer = runInScope(scope, () => handler.run(payload, context))
    const result = isThenable(answer) ? await settleWithin(answer, signal, parts.abortGraceMs) : answer
    signal.throwIfAborted()
    return result
  }

  try {
    const choice = handler.database ?? (parts.database === undefined ? 'none' : 'transaction')
    return await (choice === 'none' ? call(undefined, undefined) : withDatabase(parts, choice, run, signal, call))
  } catch (error) {
    // What the handler threw while it was being stopped matters less than why it was stopped.
    throw signal.aborted ? signal.reason : error
  } finally {
    life.ended = true
    if (resources !== undefined) for (const error of await resources.close()) parts.onError(error)
  }
}

/** Time limits of a run, where it has any. */
function limit(run: Run, job: Job, deadline: number | undefined, now: () => number): Stop | undefined {
  const { timeoutMs, name } = job
  if (timeoutMs === undefined && deadline === undefined) return undefined
  return combineSignals(run.signal, [
    [timeoutMs, () => new TaskError('TASK_TIMEOUT', `Job \`${name}\` ran longer than ${timeoutMs} ms`)],
    [
      deadline === undefined ? undefined : deadline - now(),
      () => new TaskError('TASK_DEADLINE', `Job \`${name}\` ran past its deadline`),
    ],
  ])
}

async function withDatabase(
  parts: RunnerParts,
  choice: 'transaction' | 'connection',
  run: Run,
  signal: AbortSignal,
  call: (db: unknown, transaction: TransactionScope | undefined) => Promise<unknown>,
): Promise<unknown> {
  const { database, onError } = parts
  const report = (error: unknown) => onError(toError(error))
  if (database === undefined) {
    throw new TaskError('TASK_NO_DATABASE', `Expected a \`database\` for job \`${run.name}\`, which asks for one`)
  }
  if (choice === 'connection') return database.connection((handle) => call(handle, undefined))

  await parts.prepare()
  let scope: TransactionScope | undefined
  const result = await database.transaction(async (handle) => {
    const query = (sql: string, parameters: readonly unknown[]) => database.query(handle, sql, parameters)
    const entry = await enter(query, run.queue, run.id)
    if (entry.done) return entry.result
    scope = openTransaction(handle)
    const value = await call(handle, scope)
    await record(query, run.queue, run.id, value)
    if (!run.owned()) {
      throw new TaskError('TASK_LOCK_LOST', `Job \`${run.name}\` was no longer ours when it came to commit`)
    }
    signal.throwIfAborted()
    return value
  })
  if (scope !== undefined) await flush(scope, report)
  return result
}
