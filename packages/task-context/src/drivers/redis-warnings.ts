import type { DriverWarning } from './driver.ts'

/**
 * Reads from Redis' answer to `INFO` what will lose jobs one day. Servers that do not say are taken at their word.
 *
 * @see https://redis.io/docs/latest/commands/info/ (`maxmemory_policy`, `aof_enabled`)
 */
export function redisWarnings(info: string): DriverWarning[] {
  const warnings: DriverWarning[] = []
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
  if (policy !== undefined && policy !== 'noeviction') {
    warnings.push({
      code: 'TASK_REDIS_EVICTS',
      message: `Expected \`maxmemory-policy noeviction\`, got \`${policy}\`: Redis deletes jobs when its memory is full`,
    })
  }
  if (/^aof_enabled:0/m.test(info)) {
    warnings.push({
      code: 'TASK_REDIS_FORGETS',
      message:
        'Expected `appendonly yes`: Redis forgets jobs that it has accepted since its last snapshot when it ends',
    })
  }
  return warnings
}
