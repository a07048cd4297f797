import { afterEach, expect, test, vi } from 'vitest'

import { afterCommit, context, createTasks, defineJob, unchecked } from './index.ts'
import { memoryDriver } from './memory.ts'

const job = defineJob({ name: 'job', schema: unchecked<{ n: number }>() })
const make = () => createTasks({ driver: memoryDriver() })

afterEach(() => {
  vi.unstubAllEnvs()
})

test('memory refuses production unless told', () => {
  vi.stubEnv('NODE_ENV', 'production')
  expect(() => memoryDriver()).toThrow(expect.objectContaining({ code: 'TASK_PRODUCTION' }))
  expect(memoryDriver({ allowInProduction: true }).name).toBe('memory')
})

test('the middleware reads headers strictly, and takes actor and tenant from nobody but the application', async () => {
  const tasks = make()
  const middleware = tasks.middleware(() => ({ actor: 'user:1' }))
  const see = (headers: Record<string, string>) =>
    middleware(new Request('http://localhost/', { headers }), async () => {
      await Promise.resolve()
      const { requestId, actor, tenant, trace, locale } = context()
      return { requestId, actor, tenant, trace, locale }
    })
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  expect(
    await see({ 'x-request-id': 'abc-1', traceparent: trace, 'accept-language': 'de-CH, en;q=0.5', 'x-actor': 'root' }),
  ).toEqual({ requestId: 'abc-1', actor: 'user:1', tenant: undefined, trace, locale: 'de-CH' })
  expect(await see({ 'x-request-id': 'a b'.repeat(50), traceparent: 'x', 'accept-language': '<script>' })).toEqual({
    requestId: expect.stringMatching(/^j[\w-]{20}$/),
    actor: 'user:1',
    tenant: undefined,
    trace: undefined,
    locale: undefined,
  })
})

test.each(['', 'a:b', '123'])('refuses the id %j, which means something to BullMQ', async (id) => {
  await expect(make().enqueue(job, { n: 1 }, { id })).rejects.toThrow(RangeError)
})

test.each([[{ requestId: '' }], [{ actor: 7 as never }], [{ deadline: 'soon' as never }], [{ deadline: Number.NaN }]])(
  'refuses the context %j',
  (fields) => {
    expect(() => make().runInContext(fields, () => {})).toThrow(
      expect.objectContaining({ code: 'TASK_CONTEXT_INVALID' }),
    )
  },
)

test('needs a database where it says so', async () => {
  const tasks = make()
  await expect(tasks.transaction(async () => {})).rejects.toMatchObject({ code: 'TASK_NO_DATABASE' })
  expect(() => tasks.relay()).toThrow(expect.objectContaining({ code: 'TASK_UNSUPPORTED' }))
})

test('enqueues nothing once it is closed', async () => {
  const tasks = make()
  await tasks[Symbol.asyncDispose]()
  await expect(tasks.enqueue(job, { n: 1 })).rejects.toMatchObject({ code: 'TASK_CLOSED' })
})

test('refuses two handlers for one job', () => {
  const tasks = make()
  const handler = tasks.handle(job, () => {})
  expect(() => tasks.worker([handler, handler])).toThrow(TypeError)
})

test('runs an after-commit callback at once where there is no transaction', async () => {
  let ran = false
  await afterCommit(() => void (ran = true))
  expect(ran).toBe(true)
})

test.each([
  [{ version: 0 }, /`version`/],
  [{ attempts: 1.5 }, /`attempts`/],
  [{ timeoutMs: 0 }, /`timeoutMs`/],
  [{ queue: 'a:b' }, /`queue`/],
  [{ version: 3, upcasters: { 1: (old: unknown) => old } }, /from version 2/],
])('refuses the definition %j', (definition, message) => {
  expect(() => defineJob({ name: 'job', schema: unchecked<null>(), ...definition })).toThrow(message)
})

test('refuses to name a field like one of its own', () => {
  const fields = { actor: unchecked<string>() }
  expect(() => createTasks({ driver: memoryDriver(), context: { fields } })).toThrow(/free name/)
})
