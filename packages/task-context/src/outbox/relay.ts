import type { Envelope } from '../context/envelope.ts'
import { runDetached } from '../context/scope.ts'
import type { Database } from '../database.ts'
import type { Driver, JobRecord, Query, RecordOptions } from '../drivers/driver.ts'
import { toError } from '../errors.ts'

/** Puts jobs into the outbox, inside the caller's transaction. */
export async function writeOutbox(query: Query, records: readonly JobRecord[]): Promise<void> {
  const rows = records.map(({ id, queue, name, data, options }) => ({ job_id: id, queue, name, data, options }))
  await query(
    `insert into task_outbox (job_id, queue, name, data, options)
     select job_id, queue, name, data, options
     from jsonb_to_recordset($1::jsonb) as row(job_id text, queue text, name text, data jsonb, options jsonb)`,
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
  { batch = 100, intervalMs = 1000 }: RelayOptions = {},
): Relay & { readonly start: () => void } {
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let working: Promise<void> | undefined
  let again = false

  async function drain(): Promise<number> {
    let total = 0
    for (;;) {
      const moved = await deliverBatch(database, driver, batch)
      total += moved
      if (moved < batch || closed) return total
    }
  }

  function poke(): void {
    if (closed) return
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

/**
 * Moves one batch. The rows stay locked until the queue has accepted them, and go in the same transaction: a crash
 * in between leaves the rows, and the second delivery meets the first one's ids.
 *
 * Claims with SKIP LOCKED and not by "id above the last one", which would skip rows whose transaction commits late.
 */
async function deliverBatch<Db, Trx extends Db>(
  database: Database<Db, Trx>,
  driver: Driver,
  batch: number,
): Promise<number> {
  return database.transaction(async (handle) => {
    const rows = await database.query(
      handle,
      `delete from task_outbox where id in (
         select id from task_outbox order by id limit $1 for update skip locked
       ) returning id::text as row_id, job_id, queue, name, data, options`,
      [batch],
    )
    if (rows.length === 0) return 0
    rows.sort((a, b) => (BigInt(a['row_id'] as string) < BigInt(b['row_id'] as string) ? -1 : 1))
    await driver.add(
      rows.map((row) => ({
        id: row['job_id'] as string,
        queue: row['queue'] as string,
        name: row['name'] as string,
        data: row['data'] as Envelope,
        options: row['options'] as RecordOptions,
      })),
    )
    return rows.length
  })
}
