import {
  createTasks,
  type Database,
  defineJob,
  type Driver,
  kyselyDatabase,
  postgresDriver,
  redisDriver,
  unchecked,
} from '../../src/index.ts'
import { connect } from './connect.ts'

/** What a child process is told, as JSON in its first argument. */
export interface ChildOrder {
  readonly driver: 'postgres' | 'redis'
  readonly url: string
  readonly redisUrl?: string
  readonly prefix: string
  readonly queue: string
  /**
   * `kill-before-add` dies between the commit and the queue, `kill-after-add` between the queue and the relay's own
   * commit, `kill-after-commit` between a job's commit and its completion; `work` does not die by itself.
   */
  readonly mode: 'kill-before-add' | 'kill-after-add' | 'kill-after-commit' | 'work'
  readonly lockMs?: number
  readonly drainMs?: number
}

/** What the jobs of these tests do: credit an account; `hold` until aborted, `hang` for ever. */
export const credit = (queue: string) =>
  defineJob({
    name: 'credit',
    queue,
    schema: unchecked<{ id: string; how?: 'hold' | 'hang' }>(),
    attempts: 2,
    backoff: { type: 'fixed', delayMs: 10 },
  })

let begun = false
const text = process.argv[2]
if (text?.startsWith('{') === true && import.meta.filename === process.argv[1])
  await main(JSON.parse(text) as ChildOrder)

async function main(order: ChildOrder): Promise<void> {
  const { mode, queue, drainMs = 100 } = order
  const db = connect(order.url, 10)
  const tasks = createTasks({
    driver: dying(makeDriver(order), mode),
    database: mode === 'kill-after-commit' ? dyingDatabase(kyselyDatabase(db)) : kyselyDatabase(db),
    onError: () => {},
    abortGraceMs: 50,
    relay: { intervalMs: 50 },
  })
  const job = credit(queue)
  if (mode === 'kill-before-add' || mode === 'kill-after-add') {
    await tasks.runInContext({ requestId: 'from-child', actor: 'user:child' }, () =>
      tasks.transaction(() => tasks.enqueue(job, { id: queue })),
    )
    // The postgres driver has no such gap: the job came with the commit.
    if (order.driver === 'postgres') await die()
    return
  }
  const handler = tasks.handle(job, async ({ id, how }, { db: trx, signal, job: { attempt } }) => {
    await trx
      .insertInto('accounts')
      .values({ id, balance: 1, backend: null })
      .onConflict((at) => at.column('id').doUpdateSet((row) => ({ balance: row('accounts.balance', '+', 1) })))
      .execute()
    begun = true
    process.stdout.write(`begun ${attempt}\n`)
    if (how === undefined) return
    await new Promise<void>((resolve) => {
      // Keeps the process alive, as work would.
      const alive = setInterval(() => {}, 1000)
      if (how === 'hold') {
        signal.addEventListener('abort', () => {
          clearInterval(alive)
          resolve()
        })
      }
    })
  })
  const worker = tasks.worker([handler], { closeOn: ['SIGTERM'], drainMs, concurrency: 2 })
  await worker.ready()
  process.stdout.write('ready\n')
  process.on('SIGTERM', () => {
    void worker
      .close()
      .then(() => tasks[Symbol.asyncDispose]())
      .then(() => db.destroy())
  })
}

function makeDriver({ driver, url, redisUrl = '', prefix, lockMs = 30_000 }: ChildOrder): Driver {
  const timing = { lockMs, stalledCheckMs: Math.min(lockMs, 1000) }
  return driver === 'postgres'
    ? postgresDriver({ connection: { connectionString: url, max: 4 }, ...timing })
    : redisDriver({ connection: redisUrl, prefix, ...timing })
}

function dying(driver: Driver, mode: ChildOrder['mode']): Driver {
  if (mode === 'kill-before-add') return { ...driver, add: die }
  if (mode === 'kill-after-add') return { ...driver, add: (records) => driver.add(records).then(die) }
  return driver
}

function dyingDatabase<Db, Trx extends Db>(database: Database<Db, Trx>): Database<Db, Trx> {
  return {
    ...database,
    transaction: async (use) => {
      const result = await database.transaction(use)
      // Not in a transaction of the relay.
      if (begun) await die()
      return result
    },
  }
}

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}
