import { expect, test, vi } from 'vitest'

import { createTasks, defineJob, type StandardSchema, unchecked } from './index.ts'
import { memoryDriver } from './memory.ts'
import { defineSignal } from './signals/index.ts'

const job = defineJob({ name: 'job', schema: unchecked<unknown>(), backoff: { type: 'fixed', delayMs: 1 } })
const tasksOf = (more: object = {}) => createTasks({ driver: memoryDriver(), onError: () => {}, ...more })
const letterOf = (tasks: ReturnType<typeof tasksOf>) => vi.waitUntil(async () => (await tasks.deadLetters())[0], 30_000)

test.each([
  { priority: 1.5 },
  { priority: -1 },
  { priority: 2_097_152 },
  { delayMs: -1 },
  { delayMs: Number.NaN },
  { delayMs: Infinity },
  { attempts: 0 },
  { deadlineMs: Infinity },
  { deadlineMs: Number.NaN },
  { backoff: { type: 'fixed', delayMs: -1 } as const },
  { backoff: { type: 'fixed', delayMs: 1, jitter: 2 } as const },
  { backoff: { type: 'other' as 'fixed', delayMs: 1 } },
  { deduplication: { id: '' } },
  { deduplication: { id: 'a', ttlMs: 0 } },
])('refuses to enqueue with %j', async (options) => {
  await expect(tasksOf().enqueue(job, null, options)).rejects.toThrow(RangeError)
  await expect(tasksOf().enqueueMany(job, [null], options)).rejects.toThrow(RangeError)
})

test.each([{ priority: 1.5 }, { backoff: { type: 'fixed', delayMs: Number.NaN } as const }])(
  'refuses to define a job with %j',
  (options) => {
    expect(() => defineJob({ name: 'job', schema: unchecked(), ...options })).toThrow(RangeError)
  },
)

test('refuses an empty secret, with which anybody could sign', () => {
  expect(() => tasksOf({ secret: '' })).toThrow(RangeError)
})

test.each([{ concurrency: 0 }, { concurrency: 1.5 }, { concurrency: Number.NaN }, { drainMs: -1 }])(
  'refuses a worker with %j',
  (options) => {
    const tasks = tasksOf()
    expect(() => tasks.worker([tasks.handle(job, () => {})], options)).toThrow(RangeError)
  },
)

test('waits without limit for running jobs where told so', async () => {
  const tasks = tasksOf()
  const begun = Promise.withResolvers<void>()
  const ended: unknown[] = []
  const worker = tasks.worker(
    [
      tasks.handle(job, async (_payload, { signal }) => {
        begun.resolve()
        await new Promise((resolve) => setTimeout(resolve, 50))
        ended.push(signal.aborted)
      }),
    ],
    { drainMs: Infinity },
  )
  await tasks.enqueue(job, null)
  await begun.promise
  await worker.close()
  expect(ended).toEqual([false])
})

test.each([{ enqueueTimeoutMs: Infinity }, { abortGraceMs: 2 ** 31 }])('takes %j for a long time', async (options) => {
  const late = vi.spyOn(globalThis, 'setTimeout')
  const tasks = tasksOf(options)
  const hurried = { ...job, timeoutMs: 5, attempts: 1 }
  await using _ = tasks.worker([
    tasks.handle(
      hurried,
      (_payload, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
    ),
  ])
  await tasks.enqueue(hurried, null)
  expect(await letterOf(tasks)).toMatchObject({ reason: expect.stringContaining('TASK_TIMEOUT') })
  for (const [, ms = 0] of late.mock.calls) expect(ms).toBeLessThan(2 ** 31)
})

test.each([() => Object.create(null) as unknown, () => ({ toString: 1, valueOf: 1 })])(
  'outlives a handler that throws what has no text',
  async (make) => {
    const tasks = tasksOf()
    await using _ = tasks.worker([
      tasks.handle({ ...job, attempts: 1 }, () => {
        throw make()
      }),
    ])
    await tasks.enqueue({ ...job, attempts: 1 }, null)
    expect(await letterOf(tasks)).toMatchObject({ reason: expect.stringContaining('no error') })
  },
)

test('lets a delayed job wait for a newer worker as long as any other', async () => {
  let time = 0
  const now = () => time
  const tasks = createTasks({ driver: memoryDriver({ now }), now, patienceMs: 1000, skewDelayMs: 10 })
  await tasks.enqueue(job, null, { delayMs: 5000 })
  time = 5000
  await using old = tasks.worker([tasks.handle({ ...job, name: 'other' }, () => {})])
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await tasks.deadLetters()).toEqual([])
  await old.close()
  time = 5500
  const ran = Promise.withResolvers<void>()
  await using _ = tasks.worker([tasks.handle(job, () => ran.resolve())])
  await ran.promise
})

test('does not begin a job that was stopped while its resources were opened', async () => {
  const seen: unknown[] = []
  const tasks = tasksOf({
    resources: {
      slow: { open: () => new Promise((resolve) => setTimeout(resolve, 60)), close: () => void seen.push('closed') },
    },
  })
  const hurried = { ...job, timeoutMs: 10, attempts: 1 }
  await using _ = tasks.worker([tasks.handle(hurried, () => void seen.push('begun'))])
  await tasks.enqueue(hurried, null)
  await letterOf(tasks)
  await vi.waitUntil(() => seen.length > 0, 30_000)
  expect(seen).toEqual(['closed'])
})

test('does not wait for ever for a resource that will not open', async () => {
  const tasks = tasksOf({ abortGraceMs: 10, resources: { stuck: { open: () => new Promise(() => {}) } } })
  const hurried = { ...job, timeoutMs: 10, attempts: 1 }
  await using _ = tasks.worker([tasks.handle(hurried, () => {})])
  await tasks.enqueue(hurried, null)
  expect(await letterOf(tasks)).toMatchObject({ reason: expect.stringContaining('TASK_TIMEOUT') })
})

test('keeps a payload as it was when it was enqueued', async () => {
  const handle = {}
  const database = {
    transaction: <T>(use: (given: object) => Promise<T>) => use(handle),
    connection: <T>(use: (given: object) => Promise<T>) => use(handle),
    query: async () => [],
  }
  const tasks = createTasks({ driver: memoryDriver(), database })
  const seen: unknown[] = []
  await tasks.transaction(async () => {
    const payload = { state: 'then' }
    await tasks.enqueue(job, payload)
    payload.state = 'later'
  })
  await using _ = tasks.worker([tasks.handle(job, (payload) => void seen.push(payload), { database: 'none' })])
  await vi.waitUntil(() => seen.length > 0, 30_000)
  expect(seen).toEqual([{ state: 'then' }])
})

test('lists no dead letters where none are asked for', async () => {
  const tasks = tasksOf()
  await expect(tasks.deadLetters('default', -1)).rejects.toThrow(RangeError)
  expect(await tasks.deadLetters('default', 0)).toEqual([])
})

test('refuses a context field by the name of a part of the context', () => {
  expect(() => tasksOf({ context: { fields: { resources: unchecked() } } })).toThrow(/free name/)
})

test('refuses a context field at the door that would not arrive as it was', async () => {
  const date: StandardSchema<Date, Date> = {
    '~standard': {
      version: 1,
      vendor: 'tests',
      validate: (value) => (value instanceof Date ? { value } : { issues: [{ message: 'expected a date' }] }),
    },
  }
  const tasks = createTasks({ driver: memoryDriver(), context: { fields: { since: date } } })
  const refused = tasks.runInContext({ since: new Date(0) }, () => tasks.enqueue(job, null))
  await expect(refused).rejects.toMatchObject({ code: 'TASK_CONTEXT_INVALID' })
})

test('takes no language from a header that is too long for one', async () => {
  const tasks = tasksOf()
  const long = `de${'-abcdefgh'.repeat(600)}`
  const request = new Request('http://localhost/', { headers: { 'accept-language': long } })
  await tasks.middleware()(request, () => tasks.enqueue(job, null))
})

test.each([new ArrayBuffer(8), /x/, new URLSearchParams('a=1'), new WeakMap()])(
  'refuses a payload that JSON would empty: %o',
  async (value) => {
    await expect(tasksOf().enqueue(job, { value })).rejects.toMatchObject({ code: 'TASK_PAYLOAD_NOT_JSON' })
  },
)

test.each([{ concurrency: 0 }, { concurrency: Number.NaN }, { timeoutMs: -1 }])(
  'refuses a signal with %j',
  (options) => {
    expect(() => defineSignal('signal', options)).toThrow(RangeError)
  },
)
