import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { openPostgres } from '../src/store/open.ts'
import { FAKE_SERVER } from './support/jupyterhub.ts'
import { startHub, type TestHub } from './support/running-hub.ts'

describe('a hub on Postgres', { timeout: 60_000 }, () => {
  let hub: TestHub
  const name = `hub_${process.pid}_${Date.now()}`
  const url = new URL(inject('postgresUrl'))

  const administer = async (statement: string) => {
    const client = new pg.Client(url.href)
    await client.connect()
    await client.query(statement)
    await client.end()
  }

  beforeAll(async () => {
    await administer(`create database ${name}`)
    const own = new URL(url)
    own.pathname = name
    hub = await startHub({ database_url: own.href, spawner: { command: FAKE_SERVER } })
  }, 60_000)
  afterAll(async () => {
    await hub?.[Symbol.asyncDispose]()
    await administer(`drop database if exists ${name} with (force)`)
  }, 60_000)

  test('keeps users, groups, tokens and accounts', async () => {
    expect((await hub.command(['create-admin', 'root'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })).code).toBe(0)
    const made = await hub.call('POST', '/users', { body: { usernames: ['ada', 'bob'] } })
    expect(made.status).toBe(201)
    expect((made.json as unknown as { created: string }[])[0]?.created).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    await hub.call('POST', '/groups/team', { body: { users: ['ada'] } })
    expect((await hub.call('GET', '/users/ada')).json).toMatchObject({
      groups: ['team'],
      roles: ['user'],
      admin: false,
    })
    expect((await hub.call('GET', '/users?state=inactive&name_filter=A')).json).toMatchObject([{ name: 'ada' }])
    const body = { auth: { username: 'root', password: 'correct horse battery' } }
    const { token } = (await hub.call('POST', '/users/root/tokens', { token: null, body })).json as unknown as {
      token: string
    }
    expect((await hub.call('GET', '/users', { token })).status).toBe(200)
  })

  test('outlives a connection that ends in the middle of a transaction', async () => {
    await using open = await openPostgres(url.href)
    const broken = open.db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
      const { pid } = rows[0]!
      await administer(`select pg_terminate_backend(${pid}, 5000)`)
      // The news comes by an event of its own, before anybody asks again.
      await new Promise(setImmediate)
      await sql`select 1`.execute(tx)
    })
    await expect(broken).rejects.toThrow(/terminat|not queryable/)
    expect((await sql<{ one: number }>`select 1 as one`.execute(open.db)).rows).toEqual([{ one: 1 }])
  })

  test('starts a server and finds it again after a kill', async () => {
    expect((await hub.call('POST', '/users/ada/server')).status).toBe(201)
    await hub.end('SIGKILL')
    await hub.start()
    expect((await hub.call('GET', '/users/ada')).json).toMatchObject({ server: '/user/ada/' })
    expect((await hub.call('DELETE', '/users/ada/server')).status).toBe(204)
  })
})
