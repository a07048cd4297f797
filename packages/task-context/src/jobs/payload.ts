import { TaskError } from '../errors.ts'
import { isStorable } from '../internal/storable.ts'
import { describeIssues, type SchemaResult, UNCHECKED } from '../standard-schema.ts'
import type { Job } from './define-job.ts'

/**
 * Checks a payload at the door and returns it as it will arrive: after a round trip through JSON. A promise only where
 * the schema is asynchronous.
 *
 * The schema sees the round trip, not the original, so that a `Date` or `Map` which it would accept now and refuse
 * in the worker fails here.
 *
 * @throws {@link TaskError} `TASK_PAYLOAD_NOT_JSON` or `TASK_PAYLOAD_INVALID`.
 */
export function checkPayload(job: Job, payload: unknown): unknown {
  assertJson(job, payload)
  if (job.schema['~standard'].vendor === UNCHECKED) return payload
  const stored = roundTrip(job, payload)
  const parsed = parsePayload(job, stored)
  return parsed instanceof Promise ? parsed.then(() => stored) : stored
}

/**
 * Reads a payload in the worker; a promise only where the schema is asynchronous.
 *
 * @throws {@link TaskError} `TASK_PAYLOAD_INVALID`.
 */
export function parsePayload(job: Job, stored: unknown): unknown {
  const result = job.schema['~standard'].validate(stored)
  return result instanceof Promise ? result.then((settled) => valueOf(job, settled)) : valueOf(job, result)
}

function valueOf(job: Job, result: SchemaResult<unknown>): unknown {
  if (result.issues !== undefined) {
    const reason = describeIssues(result.issues)
    throw new TaskError('TASK_PAYLOAD_INVALID', `Payload of job \`${job.name}\` does not fit its schema: ${reason}`)
  }
  return result.value
}

/** Brings a payload of an older version up to date. Versions without an upcaster are read as they are. */
export function upcast(job: Job, payload: unknown, from: number): unknown {
  let current = payload
  for (let version = from; version < job.version; version += 1) {
    const step = job.upcasters[version]
    if (step !== undefined) current = step(current)
  }
  return current
}

function roundTrip(job: Job, payload: unknown): unknown {
  try {
    return payload === undefined ? undefined : (JSON.parse(JSON.stringify(payload)) as unknown)
  } catch (cause) {
    throw unwritable(job, cause)
  }
}

function unwritable(job: Job, cause: unknown): TaskError {
  return new TaskError('TASK_PAYLOAD_NOT_JSON', `Payload of job \`${job.name}\` cannot be written as JSON`, { cause })
}

/**
 * JSON drops these without a word, or one queue refuses them and another does not; a job that arrives without its data
 * is worse than one that is refused.
 */
function assertJson(job: Job, payload: unknown): void {
  let fault: Fault | undefined
  try {
    fault = findFault(payload, [], '')
  } catch (cause) {
    // Nested deeper than the stack is high; JSON would not get to its end either.
    throw unwritable(job, cause)
  }
  if (fault === undefined) return
  const where = fault.path.length === 0 ? 'payload' : `\`${fault.path.join('.')}\``
  throw new TaskError('TASK_PAYLOAD_NOT_JSON', `Expected JSON in ${where} of job \`${job.name}\`, got ${fault.what}`)
}

/** What is no JSON, and the keys that lead to it. */
interface Fault {
  readonly what: string
  readonly path: string[]
}

const UNSTORABLE = 'a text with NUL or half of a surrogate pair'

function findFault(value: unknown, parents: object[], name: string): Fault | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : { what: UNSTORABLE, path: [] }
  if (typeof value === 'boolean' || value === undefined || value === null) return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { what: String(value), path: [] }
  if (typeof value !== 'object') return { what: typeof value, path: [] }
  const what = parents.includes(value) ? 'a circle' : oddity(value)
  if (what !== undefined) return { what, path: [] }
  // Asked once, as JSON does: the answer may be the object itself, or have a `toJSON` of its own.
  const written = 'toJSON' in value && typeof value.toJSON === 'function' ? (value.toJSON(name) as unknown) : value
  if (typeof written !== 'object' || written === null) return findFault(written, parents, name)
  const other = written === value ? undefined : oddity(written)
  if (other !== undefined) return { what: other, path: [] }
  parents.push(value)
  for (const key of Object.keys(written)) {
    if (!isStorable(key)) return { what: UNSTORABLE, path: [] }
    const fault = findFault((written as Record<string, unknown>)[key], parents, key)
    if (fault !== undefined) {
      fault.path.unshift(key)
      return fault
    }
  }
  parents.pop()
  return undefined
}

/** Names objects that JSON writes as something else, most often as `{}`. */
function oddity(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === Array.prototype) return undefined
  if (value instanceof Map || value instanceof Set || value instanceof Error || value instanceof Promise) {
    return value.constructor.name
  }
  if (ArrayBuffer.isView(value)) return 'binary data'
  // What keeps its data elsewhere: an `ArrayBuffer`, a `RegExp`, a `Headers`.
  const empty = prototype !== null && !('toJSON' in value) && Object.keys(value).length === 0
  return empty && !Array.isArray(value) ? value.constructor.name : undefined
}
