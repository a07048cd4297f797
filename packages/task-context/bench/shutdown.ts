import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { createTasks, redisDriver } from '../src/index.ts'
import { LONG, longJob } from './shutdown/process.ts'
import { report, sorted } from './support/paired.ts'

/** From SIGTERM to the end of the process: with nothing to do, and with a job of 20 seconds that listens to its signal. */
export async function benchShutdown(redisUrl: string, rounds: number): Promise<void> {
  await using tasks = createTasks({ driver: redisDriver({ connection: redisUrl }) })
  const idle: number[] = []
  const busy: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    idle.push(await timeToEnd(redisUrl, 'ready'))
    await tasks.enqueue(longJob, null)
    busy.push(await timeToEnd(redisUrl, 'begun'))
    await tasks.queue(longJob)!.obliterate({ force: true })
  }
  report('SIGTERM with an idle worker: time to the end', sorted(idle), { goal: { atMost: 1000 }, unit: ' ms' })
  report(`SIGTERM in a job of ${LONG.ms / 1000} s, drainMs ${LONG.drainMs}: time to the end`, sorted(busy), {
    goal: { atMost: 1000 },
    unit: ' ms',
  })
}

async function timeToEnd(redisUrl: string, moment: 'ready' | 'begun'): Promise<number> {
  const file = path.join(import.meta.dirname, 'shutdown/process.ts')
  const child = spawn(process.execPath, ['--conditions=@org/source', file, redisUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) if (line === moment) break
  const begun = performance.now()
  child.kill('SIGTERM')
  await ended
  return performance.now() - begun
}
