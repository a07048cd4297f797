import { TaskError } from '../errors.ts'
import { describeIssues, type SchemaResult } from '../standard-schema.ts'
import type { Job } from './define-job.ts'

/**
 * Checks a payload at the door and returns it as it will arrive: after a round trip through JSON.
 *
 * The schema sees the round trip, not the original, so that a `Date` or `Map` which it would accept now and refuse
 * in the worker fails here.
 *
 * @throws {@link TaskError} `TASK_PAYLOAD_NOT_JSON` or `TASK_PAYLOAD_INVALID`.
 */
export async function checkPayload(job: Job, payload: unknown): Promise<unknown> {
  if (job.schema['~standard'].vendor === 'task-context') {
    assertJson(job, payload)
    return payload
  }
  const stored = roundTrip(job, payload)
  await parsePayload(job, stored)
  return stored
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
  assertJson(job, payload)
  try {
    return payload === undefined ? undefined : (JSON.parse(JSON.stringify(payload)) as unknown)
  } catch (cause) {
    throw new TaskError('TASK_PAYLOAD_NOT_JSON', `Payload of job \`${job.name}\` cannot be written as JSON`, { cause })
  }
}

/** JSON drops these without a word; a job that arrives without its data is worse than one that is refused. */
function assertJson(job: Job, value: unknown, path = '', seen: readonly object[] = []): void {
  const refuse = (what: string) => {
    const where = path === '' ? 'payload' : `\`${path}\``
    return new TaskError('TASK_PAYLOAD_NOT_JSON', `Expected JSON in ${where} of job \`${job.name}\`, got ${what}`)
  }
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') throw refuse(typeof value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw refuse(String(value))
  if (typeof value !== 'object' || value === null) return
  if (value instanceof Map || value instanceof Set || value instanceof Error || value instanceof Promise) {
    throw refuse(value.constructor.name)
  }
  if (ArrayBuffer.isView(value)) throw refuse('binary data')
  if (seen.includes(value)) throw refuse('a circle')
  if ('toJSON' in value) return
  for (const [key, part] of Object.entries(value)) {
    if (typeof part !== 'string') assertJson(job, part, path === '' ? key : `${path}.${key}`, [...seen, value])
  }
}
