import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { createDockerSpawner } from '../src/spawners/docker-spawner.ts'
import { type FakeEngine, startFakeEngine } from './support/fake-engine.ts'
import { type InProcessHub, startInProcess } from './support/in-process-hub.ts'
import { call, until } from './support/running-hub.ts'

describe('an engine in trouble', { timeout: 60_000 }, () => {
  let dir: string
  let engine: FakeEngine
  let inside: InProcessHub
  let number = 0
  let user: string

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'engine-'))
    engine = await startFakeEngine(path.join(dir, 'socket'))
    inside = await startInProcess(
      { spawner: { command: 'x', start_timeout: 20, slow_spawn_timeout: 20, poll_interval: 0.1 } },
      {
        makeSpawner: (_config, hubId) => ({
          env: {},
          spawner: createDockerSpawner({
            socket: engine.socket,
            image: 'notebook',
            network: 'bridge',
            command: ['serve'],
            homeTarget: '/home',
            readOnlyMounts: {},
            pidsLimit: 64,
            logs: path.join(dir, 'logs'),
            hubId,
            stopSeconds: 0,
            callTimeoutMs: 1000,
          }),
        }),
      },
    )
  }, 60_000)
  afterAll(async () => {
    engine.mood = () => 'well'
    await inside?.[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  }, 60_000)
  beforeEach(async () => {
    engine.mood = () => 'well'
    number += 1
    user = `user${number}`
    await api('POST', `/users/${user}`)
  })

  const api = (method: string, where: string, body?: unknown) =>
    call(`${inside.running.url}hub/api${where}`, method, body === undefined ? {} : { body })
  const start = () => api('POST', `/users/${user}/server`)
  const stop = (body?: unknown) => api('DELETE', `/users/${user}/server`, body)
  const container = () => `jupyter-${user}`
  const muteAt = (calls: RegExp) => (line: string) => (calls.test(line) ? 'mute' : 'well')

  test.each([/^GET .containers.json/, /images/, /create/, /archive/, /start/, /^GET .containers.jupyter.*json/])(
    'that hangs at %s fails the start in words, and the next one succeeds',
    async (calls) => {
      engine.mood = muteAt(calls)
      expect(await start()).toMatchObject({
        status: 500,
        json: { message: expect.stringContaining('The container engine did not answer within 1 s') as string },
      })
      expect((await api('GET', `/users/${user}`)).json).toMatchObject({ pending: null, servers: {} })
      engine.mood = () => 'well'
      expect((await start()).status).toBe(201)
      expect((await stop()).status).toBe(204)
      expect(engine.containers).not.toContain(container())
    },
  )

  test('that hangs gives a cancelled start up at once', async () => {
    engine.mood = () => 'mute'
    const started = start()
    await until(async () => (await api('GET', `/users/${user}`)).json['pending'] === 'spawn')
    const cancelled = await stop({ cancel: true })
    expect(cancelled.status).toBe(204)
    expect((await started).status).toBe(500)
  })

  test('that cannot remove a container of a failed start does so later', async () => {
    engine.mood = muteAt(/start|^DELETE/)
    expect((await start()).status).toBe(500)
    expect(engine.containers).toContain(container())
    engine.mood = () => 'well'
    await until(() => !engine.containers.has(container()))
  })

  test.each(['mute', 'broken'] as const)(
    'that is %s when a server is to stop leaves it known, and to be stopped later',
    async (mood) => {
      expect((await start()).status).toBe(201)
      const before = (await inside.running.hub.routes().all())[`/user/${user}`]
      engine.mood = (line) => (line.startsWith('POST') || line.startsWith('DELETE') ? mood : 'well')
      expect((await stop()).status).toBe(202)
      expect((await api('GET', `/users/${user}`)).json).toMatchObject({ server: `/user/${user}/`, pending: null })
      expect(await inside.running.hub.db.selectFrom('servers').selectAll().execute()).toHaveLength(1)
      expect((await inside.running.hub.routes().all())[`/user/${user}`]?.target).toBe(before?.target)
      expect((await call(`${inside.running.url}user/${user}/`, 'GET', { token: null })).status).toBe(200)
      expect(await start()).toMatchObject({ status: 400, json: { message: `${user} is already running` } })
      // Who has a server that cannot be ended cannot be deleted either.
      expect((await api('DELETE', `/users/${user}`)).status).toBe(400)
      engine.mood = () => 'well'
      expect((await stop()).status).toBe(204)
      expect(engine.containers).not.toContain(container())
      expect(await inside.running.hub.db.selectFrom('servers').selectAll().execute()).toEqual([])
    },
  )

  test('that keeps the container of a server that has ended fails the next start in words', async () => {
    expect((await start()).status).toBe(201)
    engine.mood = (line) => (line.startsWith('DELETE') ? 'broken' : 'well')
    engine.ended.add(container())
    const servers = async () => JSON.stringify((await api('GET', `/users/${user}`)).json['servers'])
    await until(async () => (await servers()) === '{}')
    expect(await start()).toMatchObject({
      status: 500,
      json: { message: expect.stringContaining('broken on purpose') as string },
    })
    engine.mood = () => 'well'
    expect((await start()).status).toBe(201)
    expect((await stop()).status).toBe(204)
  })

  test('that hangs while servers run costs none of them', async () => {
    expect((await start()).status).toBe(201)
    engine.mood = () => 'mute'
    expect(await start()).toMatchObject({ status: 400 })
    expect((await call(`${inside.running.url}user/${user}/`, 'GET', { token: null })).status).toBe(200)
    engine.mood = () => 'well'
    expect((await stop()).status).toBe(204)
  })
})
