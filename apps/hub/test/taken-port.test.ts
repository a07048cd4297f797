import { createServer, type Server } from 'node:net'

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { createSpawner } from '../src/spawners/create-spawner.ts'
import type { Spawner } from '../src/spawners/spawner.ts'
import { type InProcessHub, startInProcess } from './support/in-process-hub.ts'
import { FAKE_SERVER } from './support/jupyterhub.ts'
import { call } from './support/running-hub.ts'

describe('a server whose port another program takes', { timeout: 60_000 }, () => {
  const squatters: Server[] = []
  /** How many starts of a server are robbed of their port before they listen. */
  let robberies = 0
  let inside: InProcessHub
  beforeAll(async () => {
    inside = await startInProcess(
      { spawner: { command: FAKE_SERVER, slow_spawn_timeout: 30 } },
      {
        async makeSpawner(config, hubId) {
          const { spawner, env } = await createSpawner(config, hubId)
          const robbed: Spawner = {
            ...spawner,
            async start(asked) {
              const running = await spawner.start(asked)
              if (squatters.length < robberies) {
                const squatter = createServer((socket) => socket.destroy())
                squatters.push(squatter)
                squatter.listen(running.address.port, running.address.ip)
              }
              return running
            },
          }
          return { spawner: robbed, env }
        },
      },
    )
  }, 60_000)
  afterAll(() => inside?.[Symbol.asyncDispose](), 60_000)
  afterEach(() => {
    for (const squatter of squatters.splice(0)) squatter.close()
  })
  const api = (method: string, where: string) => call(`${inside.running.url}hub/api${where}`, method)

  test('gets another one', async () => {
    robberies = 1
    await api('POST', '/users/late-ada')
    expect((await api('POST', '/users/late-ada/server')).status).toBe(201)
    expect(squatters).toHaveLength(1)
    expect((await call(`${inside.running.url}user/late-ada/`, 'GET', { token: null })).status).toBe(200)
    expect((await api('DELETE', '/users/late-ada/server')).status).toBe(204)
  })

  test('is not started for ever', async () => {
    robberies = 9
    await api('POST', '/users/late-bob')
    expect(await api('POST', '/users/late-bob/server')).toMatchObject({
      status: 500,
      json: { message: 'The server ended before it answered' },
    })
    expect(squatters).toHaveLength(3)
  })
})
