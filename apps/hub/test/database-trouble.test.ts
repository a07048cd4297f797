import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'

import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { RunningHub } from '../src/run.ts'
import { type InProcessHub, startInProcess } from './support/in-process-hub.ts'
import { call } from './support/running-hub.ts'

describe('a database that', { timeout: 60_000 }, () => {
  let inside: InProcessHub
  let running: RunningHub

  beforeAll(async () => {
    inside = await startInProcess()
    running = inside.running
  }, 60_000)
  afterAll(() => inside?.[Symbol.asyncDispose](), 60_000)

  const pragma = (text: string) => sql.raw(`pragma ${text}`).execute(running.hub.db)
  const api = (method: string, where: string, body?: unknown) =>
    call(`${running.url}hub/api${where}`, method, body === undefined ? {} : { body })
  const refusal = (reason: string) => ({
    status: 503,
    json: { status: 503, message: `The hub's database cannot be used: ${reason}` },
  })
  const isReady = async () => (await call(`${running.url}hub/ready`, 'GET')).status === 200

  test('cannot be written to still answers readers', async () => {
    await api('POST', '/users/ada')
    await pragma('query_only = on')
    expect(await api('POST', '/users/bea')).toMatchObject(refusal('it cannot be written to'))
    expect((await api('GET', '/users/ada')).status).toBe(200)
    expect((await api('POST', '/users/ada/server')).status).toBe(503)
    expect(await isReady()).toBe(false)
    await pragma('query_only = off')
    expect(await isReady()).toBe(true)
    expect((await api('POST', '/users/bea')).status).toBe(201)
  })

  test('has no room left says so', async () => {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(running.hub.db)
    await pragma(`max_page_count = ${rows[0]?.page_count ?? 0}`)
    const usernames = Array.from({ length: 500 }, (_, index) => `crowd-${index}-${'x'.repeat(100)}`)
    expect(await api('POST', '/users', { usernames })).toMatchObject(refusal('the disk is full'))
    await pragma('max_page_count = 1000000')
    expect((await api('GET', '/users?name_filter=crowd')).json).toEqual([])
  })

  test('is damaged says so, and a valid token is not called a bad one', async () => {
    await pragma('wal_checkpoint(truncate)')
    const file = path.join(inside.dir, 'data', 'jupyterhub.sqlite')
    const handle = openSync(file, 'r+')
    writeSync(handle, Buffer.alloc(statSync(file).size - 4096, 0xff), 0, undefined, 4096)
    closeSync(handle)
    await pragma('shrink_memory')
    expect(await api('GET', '/users/ada')).toMatchObject(refusal('it is damaged'))
    expect(await isReady()).toBe(false)
    expect((await call(`${running.url}hub/health`, 'GET')).status).toBe(200)
    const page = await call(`${running.url}hub/start`, 'POST', {
      token: null,
      headers: { cookie: `jupyterhub-hub-session=${'x'.repeat(43)}` },
    })
    expect(page.status).toBe(503)
    expect(page.text).toContain('it is damaged')
    expect(inside.lines.some((line) => line.includes('database cannot be used'))).toBe(true)
  })
})
