import { setTimeout as delay } from 'node:timers/promises'

import { createTasks, defineJob, redisDriver, unchecked } from '../../src/index.ts'

/** The job takes this long unless it is asked to stop, in milliseconds; the worker asks after `drainMs`. */
export const LONG = { ms: 20_000, drainMs: 100 }

export const longJob = defineJob({ name: 'long', queue: 'shutdown', schema: unchecked<null>() })

const url = process.argv[2]
if (url !== undefined && process.argv[1] === import.meta.filename) await work(url)

async function work(connection: string): Promise<void> {
  const tasks = createTasks({ driver: redisDriver({ connection }) })
  const worker = tasks.worker(
    [
      tasks.handle(longJob, async (_payload, { signal }) => {
        console.log('begun')
        await delay(LONG.ms, undefined, { signal })
      }),
    ],
    { drainMs: LONG.drainMs },
  )
  process.once('SIGTERM', () => {
    void worker.close().then(() => tasks[Symbol.asyncDispose]())
  })
  await worker.ready()
  // The first wait of a worker is a blocking read of some seconds.
  await delay(300)
  console.log('ready')
}
