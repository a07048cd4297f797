export { afterCommit } from './context/after-commit.ts'
export { MAX_CONTEXT_BYTES } from './context/fields.ts'
export type { BaseFields, FieldSchemas, FieldValues } from './context/fields.ts'
export type { Resource, Resources } from './context/resources.ts'
export { bind, context, tryContext } from './context/scope.ts'
export type { JobInfo, Logger, TaskContext } from './context/scope.ts'
export type { Database } from './database.ts'
export type { DeadLetter, Deduplication, Driver, ScheduleTiming } from './drivers/driver.ts'
export { postgresDriver, type PostgresDriverOptions } from './drivers/postgres.ts'
export { redisDriver, type RedisDriverOptions } from './drivers/redis.ts'
export { EnqueueUncertainError, TaskError, type TaskErrorCode } from './errors.ts'
export { type Backoff, defineJob, type Job, type JobDefinition, type RetryOptions } from './jobs/define-job.ts'
export { kyselyDatabase } from './kysely.ts'
export type { Relay, RelayOptions } from './outbox/relay.ts'
export type { DatabaseChoice } from './runner.ts'
export { type StandardSchema, unchecked } from './standard-schema.ts'
export type {
  Enqueued,
  EnqueueOptions,
  Handler,
  HandlerContext,
  Tasks,
  TasksOptions,
  TaskWorker,
  WorkerOptions,
} from './tasks-types.ts'
export { createTasks } from './tasks.ts'
