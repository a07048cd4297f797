import { describe, expect, test } from 'vitest'

import { isRunning } from '../src/system/processes.ts'
import { FAKE_SERVER } from './support/jupyterhub.ts'
import { call, startHub, TOKEN, until } from './support/running-hub.ts'

describe('settings', { timeout: 60_000 }, () => {
  test('a base path moves everything below it', async () => {
    await using hub = await startHub({ base_url: '/lab', spawner: { command: FAKE_SERVER } })
    const root = hub.url
    const api = (method: string, where: string) => call(`${root}hub/api${where}`, method)
    expect((await api('POST', '/users/ada')).status).toBe(201)
    expect((await api('POST', '/users/ada/server')).status).toBe(201)
    expect((await api('GET', '/users/ada')).json).toMatchObject({ server: '/lab/user/ada/' })
    const reached = await call(`${root}user/ada/x`, 'GET', { token: null })
    expect(reached.json).toMatchObject({ path: '/lab/user/ada/x' })
    const { headers } = await call(`${root}hub/`, 'GET', { token: null })
    expect(headers.get('location')).toMatch(/^\/lab\/hub\/login/)
    const above = await call(root.replace('/lab/', '/hub/api/'), 'GET', { token: null })
    expect(above.status).toBe(404)
    expect(above.headers.get('content-type')).toContain('text/html')
  })

  test('servers can be kept over a stop', async () => {
    await using hub = await startHub({ hub: { keep_servers: true }, spawner: { command: FAKE_SERVER } })
    await hub.call('POST', '/users/ada')
    await hub.call('POST', '/users/ada/server')
    const pid = async () =>
      ((await hub.call('GET', '/users/ada')).json as unknown as { servers: Record<string, { state: { pid: number } }> })
        .servers['']?.state.pid as number
    const before = await pid()
    expect(await hub.end('SIGTERM')).toBe(0)
    expect(isRunning({ pid: before })).toBe(true)
    expect((await call(`${hub.url}user/ada/`, 'GET', { token: null })).status).toBe(200)
    await hub.start()
    expect(await pid()).toBe(before)
    const body = { proxy: true, servers: true }
    expect((await hub.call('POST', '/shutdown', { body: { proxy: 'yes' } })).status).toBe(400)
    expect((await hub.call('POST', '/shutdown', { body })).status).toBe(202)
    await until(() => !isRunning({ pid: before }))
    await until(() => hub.log().includes('hub stopped'))
  })

  test('users whom the configuration names are made', async () => {
    await using hub = await startHub({ roles: [{ name: 'watched', scopes: ['read:hub'], users: ['probe'] }] })
    const probe = async () => (await hub.call('GET', '/users/probe')).json
    expect(await probe()).toMatchObject({ name: 'probe', admin: false, roles: ['user', 'watched'] })
    const { created } = await probe()
    await hub.end('SIGTERM')
    await hub.start()
    expect(await probe()).toMatchObject({ created, roles: ['user', 'watched'] })
  })

  test('idle servers are stopped', async () => {
    await using hub = await startHub({
      spawner: { command: FAKE_SERVER },
      cull: { idle_timeout: 2, every: 0.2 },
      limits: { active_servers: 1 },
    })
    await hub.call('POST', '/users', { body: { usernames: ['ada', 'bob'] } })
    expect((await hub.call('POST', '/users/ada/server')).status).toBe(201)
    expect((await hub.call('POST', '/users/bob/server')).status).toBe(429)
    const servers = async () => (await hub.call('GET', '/users/ada')).json['servers'] as object
    await until(async () => Object.keys(await servers()).length === 0)
    expect(hub.log()).toContain('server is idle')
    expect((await hub.call('POST', '/users/bob/server')).status).toBe(201)
  })

  test('each answer carries the id of its request, also to those who may not ask', async () => {
    await using hub = await startHub({ log_level: 'debug' })
    for (const path of ['hub/api/user', 'hub/api/nothing', 'hub/health', 'hub/login', 'hub/static/hub.css']) {
      const given = await call(`${hub.url}${path}`, 'GET', { token: 'wrong', headers: { 'x-request-id': 'mine.1' } })
      expect(given.headers.get('x-request-id')).toBe('mine.1')
      const made = await call(`${hub.url}${path}`, 'GET', { headers: { 'x-request-id': 'a "b" {' } })
      expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(hub.log()).toContain(`"id":"${made.headers.get('x-request-id')}"`)
    }
  })

  test('numbers for Prometheus, for those who may read them', async () => {
    await using hub = await startHub()
    expect((await call(`${hub.url}hub/metrics`, 'GET', { token: null })).status).toBe(403)
    const { text } = await call(`${hub.url}hub/metrics`, 'GET', { token: TOKEN })
    expect(text).toContain('jupyterhub_running_servers 0')
    expect(text).toMatch(/jupyterhub_http_requests_total\{method="GET",code="403"\} \d+/)
    const document = await call(`${hub.url}hub/api/openapi.json`, 'GET', { token: null })
    expect(document.json).toMatchObject({
      openapi: '3.1.0',
      paths: { '/users/{name}/server': { post: { summary: 'Start a server' } } },
    })
    const docs = await call(`${hub.url}hub/api/docs`, 'GET', { token: null })
    expect(docs.text).toContain('Start a server')
  })
})
