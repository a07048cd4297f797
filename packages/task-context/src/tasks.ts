import { type Envelope, seal } from './context/envelope.ts'
import { fieldCodec, type FieldSchemas } from './context/fields.ts'
import { fieldsFromHeaders } from './context/middleware.ts'
import { makeContext, replaceDb } from './context/make-context.ts'
import {
  context,
  currentScope,
  currentTransaction,
  type Logger,
  runInScope,
  type Scope,
  type TaskContext,
} from './context/scope.ts'
import { inSavepoint } from './context/savepoint.ts'
import { actingIn, flush, inTurn, lastTurns, openAround, openTransaction } from './context/transaction.ts'
import type { Database } from './database.ts'
import type { JobRecord, RecordOptions } from './drivers/driver.ts'
import { sandboxProcessor } from './drivers/sandbox.ts'
import { TaskError, toError } from './errors.ts'
import { enlist } from './enlist.ts'
import { randomId } from './internal/ids.ts'
import { CLOSE_MS, settlesWithin } from './internal/in-time.ts'
import type { Job } from './jobs/define-job.ts'
import {
  checkBackoff,
  checkDeduplication,
  checkName,
  checkPriority,
  milliseconds,
  positiveInteger,
} from './jobs/numbers.ts'
import { checkPayload } from './jobs/payload.ts'
import { prune } from './outbox/ledger.ts'
import { createRelay } from './outbox/relay.ts'
import { ensureTables } from './outbox/tables.ts'
import { runJob, type RunnerParts } from './runner.ts'
import type { EnqueueOptions, Handler, Tasks, TasksOptions } from './tasks-types.ts'
import { byQueue, startWorker } from './worker.ts'

const SILENT: Logger = { info() {}, warn() {}, error() {} }
const NEVER = new AbortController().signal

/**
 * Puts the parts together: a driver, a database, the fields of the context.
 *
 * Opens no connection by itself beyond what the driver does. Dispose it last, after the workers.
 *
 * @example
 * const tasks = createTasks({ driver: postgresDriver({ connection: url }), database: kyselyDatabase(db) })
 */
export function createTasks<
  Fields extends FieldSchemas = Record<never, never>,
  R extends object = Record<never, never>,
  Db = undefined,
  Trx extends Db = Db,
>(options: TasksOptions<Fields, R, Db, Trx>): Tasks<Fields, R, Db, Trx> {
  const { driver, secret, now = Date.now, logger = () => SILENT } = options
  const { onError = (error) => console.error(error), enqueueTimeoutMs = 10_000 } = options
  if (secret === '') throw new RangeError('Expected a `secret` that is not empty: with an empty one anybody could sign')
  const database = options.database as Database<unknown> | undefined
  const codec = fieldCodec(options.context?.fields, options.context?.maxBytes)
  const needDatabase = () => {
    if (database === undefined) throw new TaskError('TASK_NO_DATABASE', 'Expected tasks created with a `database`')
    return database
  }

  let prepared: Promise<void> | undefined
  const prepare = () => {
    prepared ??= ensureTables(needDatabase()).catch((error: unknown) => {
      prepared = undefined
      throw error
    })
    return prepared
  }
  const parts: RunnerParts = {
    prepare,
    codec,
    secret,
    database,
    resources: options.resources,
    logger,
    onError,
    now,
    abortGraceMs: options.abortGraceMs ?? 5000,
    patienceMs: options.patienceMs ?? 3_600_000,
    skewDelayMs: options.skewDelayMs ?? 5000,
  }
  const relay =
    database === undefined || driver.enlist !== 'outbox'
      ? undefined
      : createRelay(database, driver, onError, { ...options.relay, timeoutMs: enqueueTimeoutMs })
  const delivery = enlist({ driver, database, relay, timeoutMs: enqueueTimeoutMs })
  let closed = false
  const assertOpen = () => {
    if (closed) throw new TaskError('TASK_CLOSED', 'Expected tasks that are not disposed')
  }

  /** Contexts never change, and a request may enqueue many jobs. */
  const written = new WeakMap<TaskContext, Record<string, unknown>>()

  /** Context for a job: that of the caller, and a request id of its own where there is no caller. */
  function capture(deadlineMs: number | undefined): Record<string, unknown> {
    const caller = currentScope()?.context
    if (deadlineMs !== undefined) {
      if (!Number.isFinite(deadlineMs))
        throw new RangeError(`Expected \`deadlineMs\` to be finite, got \`${deadlineMs}\``)
      const deadline = Math.min(now() + deadlineMs, caller?.deadline ?? Infinity)
      return codec.writeNew({ requestId: randomId(), ...caller, deadline })
    }
    if (caller === undefined) return codec.write({ requestId: randomId() })
    let wire = written.get(caller)
    if (wire === undefined) {
      wire = codec.writeNew(caller as unknown as Record<string, unknown>)
      written.set(caller, wire)
    }
    return wire
  }

  /** A promise only where the job's schema is asynchronous: most enqueues need not wait before they send. */
  function makeRecord(
    job: Job,
    payload: unknown,
    given: EnqueueOptions,
    schedule?: string,
  ): JobRecord | Promise<JobRecord> {
    assertOpen()
    const id = given.id === undefined ? randomId() : checkId(given.id)
    const c = capture(given.deadlineMs)
    const address = { queue: job.queue, name: job.name, id }
    const finish = (p: unknown): JobRecord => {
      const envelope: Writable<Envelope> = job.version === 1 ? { v: 1, c, p } : { v: 1, n: job.version, c, p }
      if (given.id !== undefined) envelope.k = randomId()
      if (schedule !== undefined) envelope.s = schedule
      return { ...address, data: seal(envelope, address, secret), options: recordOptions(job, given) }
    }
    const checked = checkPayload(job, payload)
    return checked instanceof Promise ? checked.then(finish) : finish(checked)
  }

  const runInContext: Tasks['runInContext'] = (fields, fn, { signal = NEVER } = {}) => {
    const read = codec.read({ requestId: randomId(), ...fields })
    // Acting as somebody else does not leave the transaction: what is enqueued still waits for its commit.
    const outer = currentScope()
    const around = openAround(outer?.transaction)
    const db = around?.handle
    const log = () => logger({ requestId: read.requestId })
    const inside = makeContext(read, { signal: () => signal, log }, { db }) as TaskContext<never, never>
    const life = around === undefined || outer === undefined ? { ended: false } : outer.life
    return runInScope({ context: inside, transaction: around, life }, () => fn(inside))
  }

  async function transaction<T>(fn: (handle: unknown) => Promise<T>): Promise<T> {
    const opened = needDatabase()
    const around = currentTransaction()
    const outer = currentScope()
    const within = (handle: unknown, inner: NonNullable<Scope['transaction']>) => {
      const surrounding = outer?.context
      const scope: Scope = {
        context: surrounding === undefined ? undefined : replaceDb(surrounding, handle),
        transaction: inner,
        life: outer?.life ?? { ended: false },
      }
      return runInScope(scope, () => fn(handle))
    }
    if (around !== undefined) {
      const execute = (statement: string) => opened.query(around.handle, statement, [])
      return inTurn(around, () =>
        // Whoever was around may have ended while this one stood in line.
        actingIn(around) === around
          ? inSavepoint(around, execute, (inner) => within(around.handle, inner))
          : transaction(fn),
      )
    }
    let inner: Scope['transaction']
    const result = await opened.transaction(async (handle) => {
      inner = openTransaction(handle)
      try {
        const value = await within(handle, inner)
        await lastTurns(inner)
        return value
      } finally {
        inner.end = 'rolledBack'
      }
    })
    if (inner !== undefined) {
      inner.end = 'committed'
      await flush(inner, (error) => onError(toError(error)))
    }
    return result
  }

  const tasks: Tasks = {
    driver,
    migrate: () => ensureTables(needDatabase()),
    async enqueue(job, payload, given = {}) {
      const record = makeRecord(job as Job, payload, given)
      const added = await delivery.send([record instanceof Promise ? await record : record], given.transaction)
      return added[0]!
    },
    async enqueueMany(job, payloads, given = {}) {
      const records = await Promise.all(payloads.map(async (payload) => makeRecord(job as Job, payload, given)))
      return records.length === 0 ? [] : delivery.send(records, given.transaction)
    },
    handle: (job, run, { database: choice } = {}) => ({ job, run, database: choice }) as unknown as Handler,
    worker(handlers, settings) {
      assertOpen()
      return startWorker({ driver, parts, relay, handlers, options: settings ?? {} })
    },
    sandbox(handlers) {
      const [only, ...others] = byQueue(handlers).values()
      if (only === undefined || others.length > 0) throw new TypeError('Expected handlers of one queue for a sandbox')
      return sandboxProcessor((run) => runJob(parts, only, run))
    },
    relay() {
      assertOpen()
      if (relay === undefined) {
        throw new TaskError(
          'TASK_UNSUPPORTED',
          `Expected a driver with an outbox and a \`database\`, got \`${driver.name}\``,
        )
      }
      relay.start()
      return relay
    },
    runInContext,
    context: context as Tasks['context'],
    transaction,
    middleware:
      (read = () => ({})) =>
      async (request, next) => {
        const fields = { ...fieldsFromHeaders(request.headers, randomId), ...(await read(request)) }
        return runInContext(fields, next, { signal: request.signal })
      },
    async schedule(id, timing, job, payload) {
      const record = await makeRecord(job as Job, payload, { id }, id)
      await driver.schedule(id, timing, record)
    },
    async unschedule(job, id) {
      assertOpen()
      return driver.unschedule(job.queue, id)
    },
    async deadLetters(queue = 'default', limit = 100) {
      assertOpen()
      if (limit === 0) return []
      positiveInteger('limit', limit)
      return driver.deadLetters(queue, limit)
    },
    async redrive(letter) {
      assertOpen()
      return driver.redrive(letter.queue, letter.id)
    },
    async pruneLedger(olderThanMs) {
      const opened = needDatabase()
      return prune((sql, parameters) => opened.query(undefined, sql, parameters), olderThanMs)
    },
    queue: (job) => driver.queue(typeof job === 'string' ? job : job.queue),
    async [Symbol.asyncDispose]() {
      closed = true
      const relayed = relay?.[Symbol.asyncDispose]() ?? Promise.resolve()
      // A batch that the queue does not answer ends with the driver, and stays in the outbox.
      await settlesWithin(relayed, CLOSE_MS)
      await driver[Symbol.asyncDispose]()
      await settlesWithin(relayed, CLOSE_MS)
    },
  }
  return tasks as unknown as Tasks<Fields, R, Db, Trx>
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

function checkId(id: string): string {
  if (id === '' || id.includes(':') || /^\d+$/.test(id)) {
    throw new RangeError('Expected an `id` that has no colon and is not all digits: BullMQ gives those a meaning')
  }
  checkName('id', id)
  return id
}

/** What the driver has to know of an enqueue. */
function recordOptions(job: Job, given: EnqueueOptions): RecordOptions {
  const { attempts, backoff, delayMs, lifo, deduplication, priority = job.priority } = given
  // Here and not where the queue would refuse it: that may be long after the commit, in a relay.
  if (attempts !== undefined) positiveInteger('attempts', attempts)
  if (backoff !== undefined) checkBackoff(backoff)
  if (delayMs !== undefined) milliseconds('delayMs', delayMs)
  if (given.priority !== undefined) checkPriority(given.priority)
  if (deduplication !== undefined) checkDeduplication(deduplication)
  const options: Writable<RecordOptions> = {
    attempts: attempts ?? job.attempts,
    backoff: backoff ?? job.backoff,
  }
  if (delayMs !== undefined) options.delayMs = Math.ceil(delayMs)
  if (priority !== undefined) options.priority = priority
  if (lifo !== undefined) options.lifo = lifo
  if (deduplication !== undefined) options.deduplication = deduplication
  return options
}
