import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import { createTasks, postgresDriver } from '@org/task-context'
import { Hono } from 'hono'

const tasks = createTasks({ driver: postgresDriver({ connection: process.env['DATABASE_URL'] ?? '' }) })

const board = new HonoAdapter(serveStatic).setBasePath('/jobs')
createBullBoard({
  // One adapter for each queue; `tasks.queue` hands out BullMQ's own.
  queues: [new BullMQAdapter(tasks.queue('default')!)],
  serverAdapter: board,
})

// Whoever opens the board sees payloads and can run jobs again: put your own authentication before it.
const app = new Hono().route('/jobs', board.registerPlugin())

console.log((await app.request('/jobs/api/queues')).status)
await tasks[Symbol.asyncDispose]()
