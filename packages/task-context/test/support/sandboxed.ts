import { createTasks, defineJob, kyselyDatabase, tryContext, unchecked } from '../../src/index.ts'
import { memoryDriver } from '../../src/memory.ts'
import { connect } from './connect.ts'

/** The job that `sandboxed.ts` does. */
export const reported = defineJob({ name: 'report', queue: 'reports', schema: unchecked<{ id: string }>() })

// A child enqueues nothing here, so any driver will do.
const tasks = createTasks({
  driver: memoryDriver(),
  database: kyselyDatabase(connect(process.env['TEST_URL'] ?? '', 2)),
})

const processor = tasks.sandbox([
  tasks.handle(reported, async ({ id }, { db, requestId, actor }) => {
    await db.insertInto('accounts').values({ id, balance: 1, backend: null }).execute()
    return { pid: process.pid, requestId, actor, same: tryContext()?.requestId === requestId }
  }),
])

// oxlint-disable-next-line import/no-default-export -- BullMQ loads the default export of a processor file
export default processor
