import { createTasks, defineJob, kyselyDatabase, postgresDriver, unchecked } from '@org/task-context'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'

const connectionString = process.env['DATABASE_URL'] ?? ''
const pool = new pg.Pool({ connectionString })
const db = new Kysely<{ orders: { id: string; receipt: string | null } }>({ dialect: new PostgresDialect({ pool }) })
await sql`create table orders (id text primary key, receipt text)`.execute(db)

// A job is a name, a schema and rules. Any Standard Schema will do: Zod, Valibot, ArkType.
const printReceipt = defineJob({ name: 'print-receipt', schema: unchecked<{ orderId: string }>() })

const tasks = createTasks({
  driver: postgresDriver({ connection: connectionString }),
  database: kyselyDatabase(db),
})

const printed = Promise.withResolvers<string>()
const worker = tasks.worker([
  tasks.handle(printReceipt, async ({ orderId }, { db, actor, requestId, job }) => {
    // `db` is this job's own transaction: it commits when the handler is done, and rolls back when it throws.
    const receipt = `receipt for ${actor}, ${requestId}, attempt ${job.attempt}`
    await db.updateTable('orders').set({ receipt }).where('id', '=', orderId).execute()
    printed.resolve(receipt)
  }),
])

await tasks.runInContext({ requestId: 'r-1', actor: 'user:7' }, () =>
  tasks.transaction(async (trx) => {
    // Enqueued first, and still not started before the order is there: it waits for the commit.
    await tasks.enqueue(printReceipt, { orderId: 'a' })
    await trx.insertInto('orders').values({ id: 'a', receipt: null }).execute()
  }),
)

console.log(await printed.promise)
await worker.close()
console.log(await db.selectFrom('orders').selectAll().execute())
await tasks[Symbol.asyncDispose]()
await db.destroy()
