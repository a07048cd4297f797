import { leaveTransaction } from './context/after-commit.ts'
import { currentScope, currentTransaction, runInScope } from './context/scope.ts'
import { inTurn } from './context/transaction.ts'
import type { Envelope } from './context/envelope.ts'
import type { Database } from './database.ts'
import type { Added, Driver, JobRecord, Query } from './drivers/driver.ts'
import { EnqueueUncertainError, TaskError } from './errors.ts'
import { createPatience } from './internal/patience.ts'
import { type Relay, writeOutbox } from './outbox/relay.ts'
import type { Enqueued } from './tasks-types.ts'

/** Sends jobs to the queue, now or together with a transaction. */
export interface Delivery {
  readonly send: (records: readonly JobRecord[], transaction: unknown) => Promise<Enqueued[]>
}

/** Decides for each enqueue what "after commit" means with the driver at hand. */
export function enlist(parts: {
  readonly driver: Driver
  readonly database: Database<unknown> | undefined
  readonly relay: Relay | undefined
  readonly timeoutMs: number
}): Delivery {
  const { driver, database, relay, timeoutMs } = parts
  const patience = createPatience(timeoutMs)

  async function add(records: readonly JobRecord[]): Promise<Enqueued[]> {
    const added = await patience.within(driver.add(records), () => uncertain(records, timeoutMs))
    return added.map(({ id, deduplicated }) => ({ id, deduplicated, deferred: false }))
  }

  const deferred = (added: readonly Pick<Added, 'id'>[]) =>
    added.map(({ id }) => ({ id, deduplicated: false, deferred: true }))

  async function send(records: readonly JobRecord[], given: unknown): Promise<Enqueued[]> {
    const scope = currentScope()
    const own = given === undefined || given === scope?.transaction?.handle ? currentTransaction() : undefined
    const handle = given ?? own?.handle
    if (handle === undefined) return add(records)

    if (driver.enlist === 'buffer') {
      if (own === undefined || scope === undefined) {
        throw new TaskError(
          'TASK_UNSUPPORTED',
          'Expected `tasks.transaction` around it: memory cannot see other commits',
        )
      }
      // As they are now: the other drivers have written them down by the time that `enqueue` returns.
      // As text, which a rollback drops unread.
      const kept = records.map((record) => ({ record, text: JSON.stringify(record.data) }))
      const read = () => kept.map(({ record, text }) => ({ ...record, data: JSON.parse(text) as Envelope }))
      own.waiting.push(() => runInScope(leaveTransaction(scope), async () => void (await add(read()))))
      return deferred(records)
    }
    if (database === undefined) throw new TaskError('TASK_NO_DATABASE', 'Expected tasks created with a `database`')
    const query: Query = (sql, parameters) => database.query(handle, sql, parameters)
    const traced = withTrace(records, driver.captureTelemetry?.())
    const write = async () => {
      if (driver.addWithin !== undefined) {
        const added = await driver.addWithin(query, traced)
        return added.map((one) => ({ ...one, deferred: true }))
      }
      await writeOutbox(query, traced)
      if (relay !== undefined) own?.waiting.push(relay.poke)
      return deferred(records)
    }
    return own === undefined ? write() : inTurn(own, write)
  }

  return { send }
}

/** Keeps the trace of now: whoever delivers the job later does so under a trace of their own. */
function withTrace(records: readonly JobRecord[], telemetry: string | undefined): readonly JobRecord[] {
  if (telemetry === undefined) return records
  return records.map((record) => ({ ...record, options: { ...record.options, telemetry } }))
}

/** A queue that does not answer may still have heard: the caller learns the id to try again with. */
function uncertain(records: readonly JobRecord[], timeoutMs: number): Error {
  const id = records[0]?.id ?? ''
  const message = `Expected the queue to answer within ${timeoutMs} ms; repeat the enqueue with id \`${id}\``
  return new EnqueueUncertainError(id, message)
}
