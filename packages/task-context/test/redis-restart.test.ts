import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { describeWith, type RedisServer, startRedis } from '@org/services'
import { expect, test } from 'vitest'

import { createTasks, defineJob, EnqueueUncertainError, kyselyDatabase, redisDriver, unchecked } from '../src/index.ts'
import { eventually, openWorld } from './support/world.ts'

await describeWith('redis', 'a Redis that is killed', () => {
  test('with an append-only file loses no job and doubles no effect', { timeout: 90_000 }, async () => {
    await using world = await openWorld()
    const dir = mkdtempSync(path.join(tmpdir(), 'redis-kill-'))
    let redis: RedisServer = await startRedis({ appendOnly: true, dir })
    const tasks = createTasks({
      driver: redisDriver({ connection: redis.url, lockMs: 1000, stalledCheckMs: 300 }),
      database: kyselyDatabase(world.db),
      onError: () => {},
      enqueueTimeoutMs: 500,
      relay: { intervalMs: 100 },
    })
    try {
      const job = defineJob({ name: 'credit', schema: unchecked<{ id: string }>(), attempts: 20 })
      await tasks.migrate()
      await using worker = tasks.worker(
        [
          tasks.handle(job, async ({ id }, { db }) => {
            await db
              .insertInto('accounts')
              .values({ id, balance: 1, backend: null })
              .onConflict((at) => at.column('id').doUpdateSet((row) => ({ balance: row('accounts.balance', '+', 1) })))
              .execute()
          }),
        ],
        { concurrency: 8 },
      )
      await worker.ready()
      let uncertain = 0
      /** What an application does: repeats an enqueue that was not answered, under its id. */
      const insist = async (id: string): Promise<void> => {
        try {
          await tasks.enqueue(job, { id }, { id: `job-${id}` })
        } catch (error) {
          if (!(error instanceof EnqueueUncertainError) || error.jobId !== `job-${id}`) throw error
          uncertain += 1
          await insist(id)
        }
      }
      const total = 400
      const lane = async (lane: number) => {
        for (let n = lane; n < total; n += 8) {
          if (n % 2 === 0) await insist(`n${n}`)
          else await tasks.transaction(() => tasks.enqueue(job, { id: `n${n}` }))
        }
      }
      const lanes = Promise.all(Array.from({ length: 8 }, (_, n) => lane(n)))
      await eventually(async () => {
        const { n } = await world.db
          .selectFrom('accounts')
          .select(({ fn }) => fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow()
        return Number(n) > 50
      })
      await redis.kill()
      await eventually(() => uncertain > 0)
      redis = await startRedis({ appendOnly: true, dir, port: redis.port })
      await lanes
      const rows = await eventually(async () => {
        const found = await world.db.selectFrom('accounts').select('balance').execute()
        return found.length === total && found
      })
      expect(rows.filter(({ balance }) => balance !== 1)).toEqual([])
    } finally {
      await tasks[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
