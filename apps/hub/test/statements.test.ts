import BetterSqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { type InProcessHub, startInProcess } from './support/in-process-hub.ts'
import { call } from './support/running-hub.ts'
import { openPage, sessionOf } from './support/session.ts'

// Time depends on the machine, the number of statements does not: a page that asks once for each row would show here.
describe('statements of one request do not grow with the users', { timeout: 60_000 }, () => {
  let inside: InProcessHub
  let cookie: string
  let statements = 0

  const api = (method: string, where: string, body?: unknown) =>
    call(`${inside.running.url}hub/api${where}`, method, body === undefined ? {} : { body })
  const page = async (query: string) => {
    const { status, text } = await openPage(`${inside.running.url}hub/admin${query}`, cookie)
    expect(status).toBe(200)
    return text
  }
  /** Counts what a request asks of the database; what it asks once a minute is asked beforehand. */
  const counted = async (request: () => Promise<unknown>) => {
    await request()
    await api('POST', '/users/ada/activity', { last_activity: new Date().toISOString() })
    statements = 0
    await request()
    return statements
  }
  const requests = {
    'the admin page': () => page(''),
    'its search': () => page('?q=person'),
    'a list of users': () => api('GET', '/users'),
    'a page of users': () => api('GET', '/users?offset=20&limit=20'),
    'one user': () => api('GET', '/users/ada'),
  }

  beforeAll(async () => {
    inside = await startInProcess()
    const { accounts } = inside.running.hub
    await accounts.createAdmin('ada', 'correct horse battery')
    cookie = await sessionOf(inside.running, 'ada', 'correct horse battery')
    await page('')
    const probe = new BetterSqlite(':memory:')
    const prototype = Object.getPrototypeOf(probe.prepare('select 1')) as BetterSqlite.Statement
    probe.close()
    for (const method of ['all', 'run'] as const) {
      const original = prototype[method] as (this: BetterSqlite.Statement, ...values: unknown[]) => never
      vi.spyOn(prototype, method).mockImplementation(function (this: BetterSqlite.Statement, ...values: unknown[]) {
        statements += 1
        return original.apply(this, values)
      })
    }
  }, 60_000)
  afterAll(() => inside?.[Symbol.asyncDispose](), 60_000)

  test('neither pages nor the API', async () => {
    const few: Record<string, number> = {}
    for (const [name, request] of Object.entries(requests)) few[name] = await counted(request)
    const usernames = Array.from({ length: 1000 }, (_, index) => `person-${index}`)
    expect((await api('POST', '/users', { usernames })).status).toBe(201)
    const many: Record<string, number> = {}
    for (const [name, request] of Object.entries(requests)) many[name] = await counted(request)
    expect(many).toEqual(few)
    expect(Math.max(...Object.values(many))).toBeLessThan(12)
    expect(await page('?page=2')).toContain('1001 users, page 2 of 21')
  })

  test('and a reading that nothing has changed asks for nothing', async () => {
    await api('GET', '/users')
    statements = 0
    expect((await api('GET', '/users')).json).toHaveLength(200)
    expect(statements).toBe(0)
    await api('PATCH', '/users/person-0', { admin: true })
    expect((await api('GET', '/users')).json[1]).toMatchObject({ name: 'person-0', admin: true })
  })

  test('1000 users are made with a handful', async () => {
    statements = 0
    await api('POST', '/users', { usernames: Array.from({ length: 1000 }, (_, index) => `more-${index}`) })
    expect(statements).toBeLessThan(20)
  })
})
