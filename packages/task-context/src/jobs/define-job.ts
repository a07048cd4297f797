import { checkBackoff, checkName, checkPriority, positiveInteger } from './numbers.ts'
import type { StandardSchema } from '../standard-schema.ts'

/** How often and how fast a failed job is tried again. */
export interface RetryOptions {
  /** Runs at most, the first included. @default 3 */
  readonly attempts?: number
  /** Pause before the next run. @default `{ type: 'exponential', delayMs: 1000 }` */
  readonly backoff?: Backoff
}

/** A pause of `delayMs`, doubled each time when exponential. `jitter` 0..1 is the share that is random. */
export interface Backoff {
  readonly type: 'fixed' | 'exponential'
  readonly delayMs: number
  readonly jitter?: number
}

/** What {@link defineJob} takes. */
export interface JobDefinition<Name extends string, Input, Payload> extends RetryOptions {
  /** Unique in its queue; stored with each job. */
  readonly name: Name
  /** Checks the payload when it is enqueued and again when it runs. Use `unchecked<T>()` for none. */
  readonly schema: StandardSchema<Input, Payload>
  /** Which queue. Jobs that need their own concurrency or rate go into their own queue. @default 'default' */
  readonly queue?: string
  /** Version of the payload's shape. Raise it when old workers must not read new jobs. @default 1 */
  readonly version?: number
  /** Turns a payload of version n into one of n + 1, by n. */
  readonly upcasters?: Readonly<Record<number, (payload: unknown) => unknown>>
  /** Longest run of one attempt, in milliseconds; then it is aborted and rolled back. @default none */
  readonly timeoutMs?: number
  /** 1 (first) to 2 097 151; jobs without one come before all that have one. @default none */
  readonly priority?: number
}

/** A kind of job: its name, its payload and its rules. Made by {@link defineJob}. */
export interface Job<Name extends string = string, Input = unknown, Payload = Input> {
  readonly name: Name
  readonly queue: string
  readonly version: number
  readonly schema: StandardSchema<Input, Payload>
  readonly upcasters: Readonly<Record<number, (payload: unknown) => unknown>>
  readonly attempts: number
  readonly backoff: Backoff
  readonly timeoutMs: number | undefined
  readonly priority: number | undefined
}

/**
 * Defines a kind of job.
 *
 * @throws {@link RangeError} for a number that is out of its range, and where an upcaster of an older version is missing.
 * @example
 * const welcome = defineJob({ name: 'welcome-mail', schema: z.object({ userId: z.string() }) })
 */
export function defineJob<const Name extends string, Input, Payload>(
  definition: JobDefinition<Name, Input, Payload>,
): Job<Name, Input, Payload> {
  const { name, schema, queue = 'default', version = 1, upcasters = {}, attempts = 3 } = definition
  const { backoff = { type: 'exponential', delayMs: 1000 }, timeoutMs, priority } = definition
  if (name === '') throw new RangeError('Expected a job with a `name`')
  if (queue === '' || queue.includes(':'))
    throw new RangeError(`Expected a \`queue\` without a colon, got \`${queue}\``)
  checkName('name', name)
  checkName('queue', queue)
  positiveInteger('version', version)
  positiveInteger('attempts', attempts)
  if (timeoutMs !== undefined) positiveInteger('timeoutMs', timeoutMs)
  checkBackoff(backoff)
  if (priority !== undefined) checkPriority(priority)
  for (const from of Object.keys(upcasters).map(Number)) {
    for (let step = from; step < version; step += 1) {
      if (upcasters[step] === undefined) {
        throw new RangeError(
          `Expected an upcaster from version ${step} of job \`${name}\`, as there is one from ${from}`,
        )
      }
    }
  }
  return Object.freeze({ name, schema, queue, version, upcasters, attempts, backoff, timeoutMs, priority })
}
