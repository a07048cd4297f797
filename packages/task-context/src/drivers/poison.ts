import { createRedisBackend, type IQueueBackend, type RedisQueueBackend } from 'bullmq'

/** Fields of a stored job that BullMQ parses as JSON as soon as it fetches the job, and what stands in for a bad one. */
const PARSED = { opts: '{"attempts":1}', progress: '0', parent: '' } as const

/** Goes with `parent`; without both, the job is nobody's child, and BullMQ's script does not look for a parent. */
const PARENT_FIELDS = ['parent', 'parentKey']

/** Data in place of what could not be read; `unseal` turns it into a failure with this reason. */
export function unreadable(field: string, text: unknown): string {
  return JSON.stringify({ v: 0, why: `\`${field}\` is no JSON`, text })
}

/**
 * A Redis backend that survives damaged jobs.
 *
 * BullMQ parses a fetched job after it has moved it to the active list; when that fails, the job stalls, comes back
 * and fails again, for ever, and takes the result of the job before it along. So damage is repaired, in the answer and
 * in Redis, before BullMQ sees it. Leans on `execCommand` and on the form of its answer; `poison.test.ts` watches both.
 */
export const tolerantRedisBackend: typeof createRedisBackend = (name, options, factoryOptions) => {
  const backend = createRedisBackend(name, options, factoryOptions)
  const exec = backend.execCommand.bind(backend)
  backend.execCommand = async (client, command, args) => {
    const answer: unknown = await exec(client, command, args)
    if (Array.isArray(answer) && Array.isArray(answer[0]) && typeof answer[1] === 'string') {
      await repair(backend, client as CommandClient, answer[0] as unknown[], answer[1])
    }
    return answer
  }
  return backend
}

interface CommandClient {
  readonly hset: (key: string, fields: Record<string, string>) => Promise<unknown>
  readonly hdel: (key: string, ...fields: string[]) => Promise<unknown>
}

/** Checks the flat list of field, value, field, value; replaces values in it that are no JSON. */
async function repair(backend: RedisQueueBackend | IQueueBackend, client: CommandClient, flat: unknown[], id: string) {
  let damage: Record<string, string> | undefined
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const field = flat[index] as string
    // Compared one by one: each job passes here with some fifteen fields.
    if (field !== 'opts' && field !== 'progress' && field !== 'parent') continue
    const substitute = PARSED[field]
    if (isJson(flat[index + 1])) continue
    damage = { ...damage, [field]: substitute, data: unreadable(field, flat[index + 1]) }
    if (field === 'parent') damage['parentKey'] = ''
  }
  if (damage === undefined) return
  await client.hset(backend.toKey(id), damage)
  if (damage['parent'] !== undefined) await client.hdel(backend.toKey(id), ...PARENT_FIELDS)
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const value = damage[flat[index] as string]
    if (value !== undefined) flat[index + 1] = value
  }
}

function isJson(text: unknown): boolean {
  if (text === '') return true
  try {
    JSON.parse(text as string)
    return true
  } catch {
    return false
  }
}
