import { createTasks, defineJob, postgresDriver, unchecked } from '@org/task-context'
import { BullMQOtel } from 'bullmq-otel'

// Spans go to whatever tracer provider the process has registered with OpenTelemetry. Enqueue and each attempt have a
// span of their own; the trace goes with the job, also through the outbox.
const telemetry = new BullMQOtel({ tracerName: 'my-service' })
const tasks = createTasks({ driver: postgresDriver({ connection: process.env['DATABASE_URL'] ?? '', telemetry }) })

const greet = defineJob({ name: 'greet', schema: unchecked<{ name: string }>() })
const greeted = Promise.withResolvers<string>()
const worker = tasks.worker([tasks.handle(greet, ({ name }) => greeted.resolve(`hello ${name}`))])
await tasks.enqueue(greet, { name: 'trace' })
console.log(await greeted.promise)
await worker.close()
await tasks[Symbol.asyncDispose]()
