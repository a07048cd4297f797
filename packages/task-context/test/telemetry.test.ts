import { AsyncLocalStorage } from 'node:async_hooks'

import { describeWith } from '@org/services'
import type { Telemetry } from 'bullmq'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { createTasks, defineJob, kyselyDatabase, postgresDriver, redisDriver, unchecked } from '../src/index.ts'
import { eventually, openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

describe('postgres driver', () => {
  traces('postgres')
})
await describeWith('redis', 'redis driver', () => {
  traces('redis')
})

/** Traces follow the work, not whoever delivers it. */
function traces(name: 'postgres' | 'redis'): void {
  let count = 0
  function setUp() {
    count += 1
    const recorder = new Recorder()
    const { telemetry } = recorder
    const driver = () =>
      name === 'postgres'
        ? postgresDriver({ connection: { connectionString: world.url, max: 4 }, telemetry })
        : redisDriver({ connection: inject('redisUrl') ?? '', prefix: world.prefix, telemetry })
    const make = () =>
      createTasks({
        driver: driver(),
        database: kyselyDatabase(world.db),
        onError: () => {},
        relay: { intervalMs: 50 },
      })
    const job = defineJob({
      name: 'note',
      queue: `traced${count}`,
      schema: unchecked<{ n: number }>(),
      backoff: { type: 'fixed', delayMs: 10 },
    })
    const processed = () => recorder.spans.filter((span) => span.name === `process ${job.queue}`)
    return { recorder, make, job, processed }
  }

  test('each attempt has a span of the same trace, also in different workers', async () => {
    const { recorder, make, job, processed } = setUp()
    await using first = make()
    await using second = make()
    const seen: unknown[] = []
    const handlers = [first, second].map((tasks) =>
      tasks.handle(job, (_payload, context) => {
        seen.push([context.requestId, context.actor, context.job.attempt])
        if (context.job.attempt < 3) throw new Error('not yet')
      }),
    )
    await using one = first.worker([handlers[0]!])
    await using two = second.worker([handlers[1]!])
    await Promise.all([one.ready(), two.ready()])
    await recorder.within('request', () =>
      first.runInContext({ requestId: 'r', actor: 'user:1' }, () => first.enqueue(job, { n: 1 })),
    )
    await eventually(() => seen.length === 3)
    expect(seen).toEqual([1, 2, 3].map((attempt) => ['r', 'user:1', attempt]))
    expect(processed().map(({ trace }) => trace)).toEqual(['request', 'request', 'request'])
  })

  test('a job that waited for a commit belongs to the trace that enqueued it', async () => {
    const { recorder, make, job, processed } = setUp()
    await using tasks = make()
    await tasks.migrate()
    await using worker = tasks.worker([tasks.handle(job, () => {})])
    await worker.ready()
    await recorder.within('request', () => tasks.transaction(() => tasks.enqueue(job, { n: 1 })))
    await eventually(() => processed().length === 1)
    expect(processed()).toMatchObject([{ trace: 'request' }])
  })

  test('ticks of a schedule do not belong to the trace of the request that made it', async () => {
    const { recorder, make, job, processed } = setUp()
    await using tasks = make()
    await using worker = tasks.worker([tasks.handle(job, () => {})])
    await worker.ready()
    await recorder.within('request', () => tasks.schedule('tick', { everyMs: 100 }, job, { n: 1 }))
    await eventually(() => processed().length >= 2)
    await tasks.unschedule(job, 'tick')
    expect(processed().filter(({ trace }) => trace === 'request')).toEqual([])
  })
}

/** Telemetry that notes which trace each span began in; a trace is a word. */
class Recorder {
  readonly spans: { readonly name: string; readonly trace: string }[] = []
  readonly #active = new AsyncLocalStorage<string>()

  within<T>(trace: string, fn: () => T): T {
    return this.#active.run(trace, fn)
  }

  readonly telemetry: Telemetry<string> = {
    contextManager: {
      with: (trace: string, fn) => this.#active.run(trace, fn),
      active: () => this.#active.getStore() ?? 'none',
      getMetadata: (trace: string) => trace,
      fromMetadata: (_active: string, metadata: string) => metadata,
      root: () => 'none',
    },
    tracer: {
      startSpan: (name, _options, trace) => {
        this.spans.push({ name, trace: trace ?? this.#active.getStore() ?? 'none' })
        return {
          setSpanOnContext: (context: string) => context,
          setAttribute() {},
          setAttributes() {},
          addEvent() {},
          recordException() {},
          end() {},
        }
      },
    },
  }
}
