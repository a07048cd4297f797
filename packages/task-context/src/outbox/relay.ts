import type { Envelope } from '../context/envelope.ts'
import { runDetached } from '../context/scope.ts'
import type { Database } from '../database.ts'
import type { Driver, JobRecord, Query, RecordOptions } from '../drivers/driver.ts'
import { TaskError, toError } from '../errors.ts'
import { createPatience } from '../internal/patience.ts'

/** Puts jobs into the outbox, inside the caller's transaction. */
export async function writeOutbox(query: Query, records: readonly JobRecord[]): Promise<void> {
  const [only, ...others] = records
  if (only === undefined) return
  if (others.length === 0) {
    const { id, queue, name, data, options } = only
    await query('insert into task_outbox (job_id, queue, name, data, options) values ($1, $2, $3, $4, $5)', [
      id,
      queue,
      name,
      JSON.stringify(data),
      JSON.stringify(options),
    ])
    return
  }
  const rows = records.map(({ id, queue, name, data, options }) => ({ job_id: id, queue, name, data, options }))
  await query(
    `insert into task_outbox (job_id, queue, name, data, options)
     select job_id, queue, name, data, options
     from json_to_recordset($1::json) as row(job_id text, queue text, name text, data json, options json)`,
    [JSON.stringify(rows)],
  )
}

/** Settings of a {@link Relay}. */
export interface RelayOptions {
  /** Jobs per transaction. @default 100 */
  readonly batch?: number
  /** Pause between looks at the outbox when nobody pokes, in milliseconds. @default 1000 */
  readonly intervalMs?: number
}

/** Moves committed jobs from the outbox into the queue. Any number may run; they do not take each other's rows. */
export interface Relay extends AsyncDisposable {
  /** Looks now instead of at the next interval; does not wait. */
  readonly poke: () => void
  /** Delivers all that is committed; returns how many. */
  readonly drain: () => Promise<number>
}

/** Makes a relay. It looks by itself only once `start` was called; before, only when it is poked. */
export function createRelay<Db, Trx extends Db>(
  database: Database<Db, Trx>,
  driver: Driver,
  onError: (error: Error) => void,
  { batch = 100, intervalMs = 1000, timeoutMs = 10_000 }: RelayOptions & { readonly timeoutMs?: number } = {},
): Relay & { readonly start: () => void } {
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let working: Promise<void> | undefined
  let again = false
  const patience = createPatience(timeoutMs)
  /** Adds that were given up on; they may still arrive. */
  let unanswered = 0

  /** As long as it waits for the queue, a batch holds a transaction open, and with it back what Postgres cleans up. */
  async function add(records: readonly JobRecord[]): Promise<void> {
    const adding = driver.add(records)
    await patience.within(adding, () => {
      unanswered += 1
      const answered = () => (unanswered -= 1)
      adding.then(answered, answered)
      return new NoAnswer(timeoutMs)
    })
  }

  /** While the queue takes one batch the next is claimed; but they arrive in the order they were written. */
  async function drain(): Promise<number> {
    let total = 0
    let last: Batch = { claimed: Promise.resolve(0), added: Promise.resolve(), committed: Promise.resolve() }
    try {
      for (;;) {
        const previous = last
        // Each try would wait in line behind those before it, and arrive with them.
        if (unanswered > 0) throw new NoAnswer(timeoutMs)
        last = deliverBatch(database, add, batch, previous.added, onError)
        const [claimed] = await Promise.all([last.claimed, previous.committed])
        total += claimed
        if (claimed < batch || closed) break
      }
      await last.committed
      return total
    } finally {
      // After an error, too: nobody is to find a batch still on its way.
      await Promise.allSettled([last.committed])
    }
  }

  function poke(): void {
    if (closed || unanswered > 0) return
    // A commit during a drain may lie behind the rows that drain has seen.
    if (working !== undefined) {
      again = true
      return
    }
    working = runDetached(async () => {
      try {
        do {
          again = false
          await drain()
        } while (again && !closed)
      } catch (error) {
        onError(toError(error))
      } finally {
        working = undefined
      }
    })
  }

  return {
    poke,
    drain,
    start() {
      if (timer !== undefined || closed) return
      timer = runDetached(() => setInterval(poke, intervalMs))
      poke()
    },
    async [Symbol.asyncDispose]() {
      closed = true
      clearInterval(timer)
      await working
    },
  }
}

type Add = (records: readonly JobRecord[]) => Promise<void>

/** The queue is down, and trying the jobs one by one would not help. */
class NoAnswer extends TaskError {
  constructor(timeoutMs: number) {
    super(
      'TASK_ENQUEUE_UNCERTAIN',
      `Expected the queue to answer the relay within ${timeoutMs} ms; its jobs stay in the outbox`,
    )
  }
}

/** One batch on its way; rejections of the earlier stages are those of the last one. */
interface Batch {
  /** How many rows it holds. */
  readonly claimed: Promise<number>
  readonly added: Promise<void>
  readonly committed: Promise<void>
}

/**
 * Moves one batch. The rows stay locked until the queue has accepted them, and go in the same transaction: a crash
 * in between leaves the rows, and the second delivery meets the first one's ids.
 *
 * Claims with SKIP LOCKED and not by "id above the last one", which would skip rows whose transaction commits late.
 */
function deliverBatch<Db, Trx extends Db>(
  database: Database<Db, Trx>,
  add: Add,
  batch: number,
  turn: Promise<void>,
  onError: (error: Error) => void,
): Batch {
  const claimed = Promise.withResolvers<number>()
  const added = Promise.withResolvers<void>()
  const committed = database
    .transaction(async (handle) => {
      const rows = await database.query(
        handle,
        `with claimed as (
           delete from task_outbox where id in (
             select id from task_outbox order by id limit $1 for update skip locked
           ) returning id, job_id, queue, name, data, options
         ) select job_id, queue, name, data, options from claimed order by id`,
        [batch],
      )
      claimed.resolve(rows.length)
      await turn
      if (rows.length > 0) {
        const refused = await addAll(add, rows.map(toRecord), onError)
        await writeOutbox((sql, parameters) => database.query(handle, sql, parameters), refused)
      }
      added.resolve()
    })
    .catch((error: unknown) => {
      claimed.reject(error)
      added.reject(error)
      throw error
    })
  // Each is waited for only by whom it concerns, and all tell the same.
  for (const promise of [claimed.promise, added.promise, committed]) promise.catch(() => {})
  return { claimed: claimed.promise, added: added.promise, committed }
}

/**
 * Adds a batch; where that fails, one by one, so that one job which the queue will not have does not keep all others
 * back. Returns those, for another time. Fails like the batch where none could be added: then it is the queue.
 */
async function addAll(
  add: Add,
  records: readonly JobRecord[],
  onError: (error: Error) => void,
): Promise<readonly JobRecord[]> {
  try {
    await add(records)
    return []
  } catch (error) {
    if (error instanceof NoAnswer) throw error
    const refused: JobRecord[] = []
    const errors: Error[] = []
    for (const record of records) {
      try {
        await add([record])
      } catch (reason) {
        refused.push(record)
        errors.push(toError(reason))
      }
    }
    if (refused.length === records.length) throw error
    for (const reason of errors) onError(reason)
    return refused
  }
}

function toRecord(row: Readonly<Record<string, unknown>>): JobRecord {
  return {
    id: row['job_id'] as string,
    queue: row['queue'] as string,
    name: row['name'] as string,
    data: row['data'] as Envelope,
    options: row['options'] as RecordOptions,
  }
}
