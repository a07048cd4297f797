import type { TestProject } from 'vitest/node'

import type {} from './provided.ts'
import { startRedis } from './redis.ts'
import { hasService } from './services.ts'

/** Gives a project's tests one Redis server, as `inject('redisUrl')`. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['REDIS_URL']
  if (given !== undefined || !(await hasService('redis'))) {
    project.provide('redisUrl', given)
    return undefined
  }
  const server = await startRedis()
  project.provide('redisUrl', server.url)
  return () => Promise.resolve(server[Symbol.asyncDispose]())
}
