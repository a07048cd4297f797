import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { describeWith } from '@org/services'
import { createPostgresBackend, Worker } from 'bullmq'
import { describe, expect, inject, test } from 'vitest'

import { createTasks, defineJob, kyselyDatabase, unchecked } from '../src/index.ts'
import { eventually, makeDriver, openWorld, type World } from './support/world.ts'

describe('on Postgres', () => {
  sandbox('postgres')
})
await describeWith('redis', 'on Redis', () => {
  sandbox('redis')
})

function sandbox(name: 'postgres' | 'redis'): void {
  test("BullMQ's child processes have the context again, and a database session of their own", async () => {
    await using world = await openWorld()
    await using tasks = createTasks({ driver: makeDriver(name, world), database: kyselyDatabase(world.db) })
    await tasks.migrate()
    const job = defineJob({ name: 'report', queue: 'reports', schema: unchecked<{ id: string }>() })
    const worker = startWorker(name, world)
    try {
      const { id } = await tasks.runInContext({ requestId: 'r', actor: 'user:1' }, () =>
        tasks.enqueue(job, { id: 'sandboxed' }),
      )
      const done = await eventually(async () => {
        const found = await tasks.queue(job)!.getJob(id)
        return found?.finishedOn === undefined ? undefined : found
      })
      const result = done.returnvalue as { pid: number }
      expect(result).toMatchObject({ requestId: 'r', actor: 'user:1', same: true })
      expect(result.pid).not.toBe(process.pid)
      expect(await world.db.selectFrom('accounts').select('id').execute()).toEqual([{ id: 'sandboxed' }])
    } finally {
      await worker.close()
    }
  })
}

/** BullMQ's own worker, which starts the children. */
function startWorker(name: 'postgres' | 'redis', { url, prefix }: World): Pick<Worker, 'close'> {
  const file = pathToFileURL(path.join(import.meta.dirname, 'support/sandboxed.ts'))
  const workerForkOptions = {
    execArgv: ['--conditions=@org/source'],
    env: { ...process.env, TEST_URL: url },
  }
  if (name === 'redis') {
    const connection = { url: inject('redisUrl') ?? '', maxRetriesPerRequest: null }
    return new Worker('reports', file, { connection, prefix, workerForkOptions })
  }
  const connection = { connectionString: url, schema: 'bullmq', migrate: true, max: 4 }
  return new Worker('reports', file, { connection, workerForkOptions } as never, createPostgresBackend as never)
}
