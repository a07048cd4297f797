import { createRedisBackend } from 'bullmq'

/** Fields of a stored job that BullMQ parses as JSON as soon as it fetches the job, and what stands in for a bad one. */
const PARSED = { opts: '{"attempts":1}', progress: '0', parent: '' } as const

/** Goes with `parent`; without both, the job is nobody's child, and BullMQ's script does not look for a parent. */
const PARENT_FIELDS = ['parent', 'parentKey']

/** Commands whose answer may hold a job. */
const FETCHING = new Set(['moveToActive', 'moveToFinished', 'moveToDelayed'])

const NO_NUMBER = { [Symbol.toPrimitive]: () => Number.NaN }

/** Text in place of what could not be read, with the `data` of before; `unseal` turns it into a failure with this reason. */
export function unreadable(field: string, text: unknown, data?: unknown): string {
  return JSON.stringify({ v: 0, why: `\`${field}\` is no JSON`, text, data })
}

/**
 * A Redis backend that survives damaged jobs.
 *
 * BullMQ parses a fetched job after it has moved it to the active list; when that fails, the job stalls, comes back
 * and fails again, for ever, and takes the result of the job before it along. So damage is repaired, in the answer and
 * in Redis, before BullMQ sees it. Leans on `execCommand` and on the form of its answer; `hostile.test.ts` watches both.
 */
export const tolerantRedisBackend: typeof createRedisBackend = (name, options, factoryOptions) => {
  const backend = createRedisBackend(name, options, factoryOptions)
  const exec = backend.execCommand.bind(backend)
  const isJson = jsonChecker()
  const mend = (client: CommandClient, answer: unknown): unknown => {
    if (!Array.isArray(answer) || !Array.isArray(answer[0]) || typeof answer[1] !== 'string') return answer
    // BullMQ asks whether an answer is below 0, for which an array would write out the whole job: 2 µs each.
    Object.assign(answer, NO_NUMBER)
    const stored = answer[0] as unknown[]
    const damage = findDamage(stored, isJson)
    if (damage === undefined) return answer
    for (let index = 0; index + 1 < stored.length; index += 2) {
      stored[index + 1] = damage[stored[index] as string] ?? stored[index + 1]
    }
    return repair(client, backend.toKey(answer[1]), damage).then(() => answer)
  }
  backend.execCommand = (client, command, args) => {
    const answer: unknown = exec(client, command, args)
    return FETCHING.has(command) ? Promise.resolve(answer).then((told) => mend(client as CommandClient, told)) : answer
  }
  return backend
}

interface CommandClient {
  readonly hset: (key: string, fields: Record<string, string>) => Promise<unknown>
  readonly hdel: (key: string, ...fields: string[]) => Promise<unknown>
}

/** Looks through a flat list of field, value, field, value; returns what to put in place of values that are no JSON. */
function findDamage(
  stored: readonly unknown[],
  isJson: (text: unknown) => boolean,
): Record<string, string> | undefined {
  let damage: Record<string, string> | undefined
  for (let index = 0; index + 1 < stored.length; index += 2) {
    const field = stored[index]
    // Compared one by one: each job passes here with some fifteen fields.
    if (field !== 'opts' && field !== 'progress' && field !== 'parent') continue
    const value = stored[index + 1]
    if (isJson(value)) continue
    damage = { ...damage, [field]: PARSED[field], data: unreadable(field, value, valueOf(stored, 'data')) }
    if (field === 'parent') damage['parentKey'] = ''
  }
  return damage
}

function valueOf(stored: readonly unknown[], field: string): unknown {
  return stored[stored.findIndex((one, index) => index % 2 === 0 && one === field) + 1]
}

async function repair(client: CommandClient, key: string, damage: Record<string, string>): Promise<void> {
  await client.hset(key, damage)
  if (damage['parent'] !== undefined) await client.hdel(key, ...PARENT_FIELDS)
}

/** Remembers what it parsed last: one after another, jobs have the same options. */
function jsonChecker(): (text: unknown) => boolean {
  let last: unknown
  return (text) => {
    // No progress yet, or no parent.
    if (text === '0' || text === '' || text === last) return true
    try {
      JSON.parse(text as string)
    } catch {
      return false
    }
    last = text
    return true
  }
}
