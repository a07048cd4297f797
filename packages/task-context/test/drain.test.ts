import { setTimeout as pause } from 'node:timers/promises'

import { describeWith } from '@org/services'
import { type BackendFactory, createRedisBackend, type IQueueBackend } from 'bullmq'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { bullDriver } from '../src/drivers/bullmq.ts'
import { createTasks, defineJob, unchecked } from '../src/index.ts'
import { openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

await describeWith('redis', 'a worker that closes', () => {
  test('hands back a job that reaches it only after the others were stopped', async () => {
    const fetched = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    const slow: typeof createRedisBackend = (name, options, factoryOptions) => {
      const backend = createRedisBackend(name, options, factoryOptions)
      const exec = backend.execCommand.bind(backend)
      backend.execCommand = async (client, command, args) => {
        const answer: unknown = await exec(client, command, args)
        if (command === 'moveToActive' && Array.isArray(answer) && Array.isArray(answer[0])) {
          fetched.resolve()
          await stopped.promise
        }
        return answer
      }
      return backend
    }
    const factory = slow as unknown as BackendFactory<IQueueBackend, unknown>
    const connection = { url: inject('redisUrl') ?? '', maxRetriesPerRequest: null }
    const driver = bullDriver({ name: 'redis', connection, factory, prefix: world.prefix }, {}, { enlist: 'outbox' })
    await using tasks = createTasks({ driver, abortGraceMs: 0 })
    const job = defineJob({ name: 'long', schema: unchecked<null>() })
    const worker = tasks.worker([tasks.handle(job, () => new Promise(() => {}))], { drainMs: 0 })
    await tasks.enqueue(job, null)
    await fetched.promise
    const closed = worker.close()
    // Long enough for a drain of no time to be over.
    await pause(50)
    stopped.resolve()
    await closed
    expect(await tasks.queue(job)!.getWaitingCount()).toBe(1)
    expect(await tasks.deadLetters()).toEqual([])
  })
})
