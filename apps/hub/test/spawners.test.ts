import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import Docker from 'dockerode'
import { describeWith } from '@org/services'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { createDockerSpawner } from '../src/spawners/docker-spawner.ts'
import { createProcessSpawner } from '../src/spawners/process-spawner.ts'
import { answers } from '../src/spawners/readiness.ts'
import type { RunningServer, Spawner, SpawnRequest } from '../src/spawners/spawner.ts'
import { ensureNotebookImage, HOST_FOLDERS } from './support/notebook-image.ts'
import { until } from './support/running-hub.ts'

const fakeServer = path.join(import.meta.dirname, 'support', 'fake-server.ts')
const COMMAND = [process.execPath, fakeServer]

/** A kind of spawner under test. */
interface Kind {
  /** A spawner of one hub; called again with the same folder and id it is that hub after a restart. */
  readonly make: (dir: string, hubId: string, command?: readonly string[]) => Promise<Spawner>
  /** Ends a server behind the spawner's back. */
  readonly kill: (server: RunningServer) => Promise<void>
  /** The memory that the machine lets a server have, in bytes. */
  readonly memoryOf: (server: RunningServer) => Promise<number>
  readonly cleanUp: (hubId: string) => Promise<void>
}

// A Node of version 24 does not even begin with half of it.
const MEMORY = 1024 ** 3

function contract({ make, kill, memoryOf, cleanUp }: Kind): void {
  let dir: string
  let hubId: string
  let spawner: Spawner
  let number = 0

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'spawner-'))
    hubId = randomBytes(8).toString('hex')
    spawner = await make(dir, hubId)
  })
  afterEach(async () => {
    await spawner.sweep([])
    await spawner[Symbol.asyncDispose]()
    await cleanUp(hubId)
    rmSync(dir, { recursive: true, force: true })
  })

  const request = (user: string, more: Partial<SpawnRequest> = {}): SpawnRequest => {
    const prefix = `/user/${encodeURIComponent(user)}/`
    const env = { JUPYTERHUB_USER: user, JUPYTERHUB_API_TOKEN: `token-of-${user}`, JUPYTERHUB_SERVICE_PREFIX: prefix }
    return { user, server: '', prefix, env, progress: () => {}, signal: new AbortController().signal, ...more }
  }
  const person = (name: string) => `${name}${(number += 1)}-${hubId}`
  const start = async (user: string, more?: Partial<SpawnRequest>) => {
    const asked = request(user, more)
    const server = await spawner.start(asked)
    await until(() => answers(server.address, asked.prefix, 1000))
    return server
  }
  const ask = async ({ address: { ip, port } }: RunningServer) =>
    (await (await fetch(`http://${ip}:${port}/`)).json()) as { prefix: string; env: Record<string, string> }

  test('gives a server its name, its address and its token, and a state that outlives the hub', async () => {
    const user = person('ada')
    const server = await start(user)
    const { prefix, env } = await ask(server)
    expect(prefix).toBe(`/user/${user}/`)
    expect(env).toMatchObject({ JUPYTERHUB_API_TOKEN: `token-of-${user}`, USER: user })
    expect(env['HOME']).toBeTruthy()
    expect(JSON.parse(JSON.stringify(server.state))).toEqual(server.state)
    expect(JSON.stringify(server.state)).not.toContain('token-of')
    expect(await server.status()).toBeUndefined()
    expect(await memoryOf(server)).toBe(MEMORY)
  })

  test('stops a server, and again without harm', async () => {
    const server = await start(person('ada'))
    await server.stop()
    expect(await server.status()).toBeTruthy()
    expect(await answers(server.address, '/', 500)).toBe(false)
    await server.stop()
  })

  test('tells when a server has ended by itself, and keeps its last words', async () => {
    const user = person('ada')
    const server = await start(user)
    await kill(server)
    expect(await server.ended).toMatch(/signal|code/)
    expect(await server.status()).toBeTruthy()
    await server.stop()
    expect(await spawner.logTail(user, '')).toContain(`fake server of ${user}`)
    expect(await spawner.logTail(person('nobody'), '')).toBe('')
  })

  test('finds a server again after the hub was gone, but not one that ended meanwhile', async () => {
    const [server, other] = [await start(person('ada')), await start(person('bob'))]
    const later = await make(dir, hubId)
    await other.stop()
    // Where it listens is where it was started, whatever the settings say by now.
    const address = { ...server.address, ip: '127.0.0.2' }
    const found = await later.adopt(server.state, address)
    expect(found).toMatchObject({ state: server.state, address })
    expect(await found?.status()).toBeUndefined()
    expect(await later.adopt(other.state, other.address)).toBeUndefined()
    expect(await later.adopt({}, server.address)).toBeUndefined()
    await found?.stop()
    expect(await server.status()).toBeTruthy()
  })

  test('ends what nobody knows, and nothing of another hub', async () => {
    const [known, unknown] = [await start(person('ada')), await start(person('bob'))]
    const stranger = await make(dir, `${hubId}x`)
    const theirs = await stranger.start(request(person('eve')))
    expect(await spawner.sweep([known])).toBe(1)
    expect(await known.status()).toBeUndefined()
    expect(await unknown.status()).toBeTruthy()
    expect(await theirs.status()).toBeUndefined()
    await theirs.stop()
    await cleanUp(`${hubId}x`)
  })

  test('keeps users and their servers apart, whatever they are called', async () => {
    const user = person('a@b c')
    const one = await start(user)
    const two = await start(user, { server: 'lab' })
    const three = await start(`${user}0`)
    await one.stop()
    expect(await two.status()).toBeUndefined()
    expect(await three.status()).toBeUndefined()
    expect((await ask(three)).env['JUPYTERHUB_USER']).toBe(`${user}0`)
    await Promise.all([two.stop(), three.stop()])
  })

  test('leaves nothing behind of a start that was given up', async () => {
    const gone = AbortSignal.abort(new Error('given up'))
    await expect(spawner.start(request(person('ada'), { signal: gone }))).rejects.toMatchObject({
      code: 'HUB_SPAWN_FAILED',
    })
    expect(await spawner.sweep([])).toBe(0)
  })

  test('says of a program that does not exist that it does not start', async () => {
    const broken = await make(dir, hubId, ['/no/such/program'])
    const user = person('ada')
    // A container may live for the moment that its shell takes to look for the program.
    const reason = await broken.start(request(user)).then(
      async (server) => {
        const words = await server.ended
        await server.stop()
        return words
      },
      (error: { readonly code: string }) => error.code,
    )
    expect(reason).toMatch(/HUB_SPAWN_FAILED|exit code/)
    expect(await broken.sweep([])).toBe(0)
  })
}

describe('the process spawner', { timeout: 30_000 }, () => {
  contract({
    make: (dir, hubId, command = COMMAND) =>
      Promise.resolve(
        createProcessSpawner({
          command,
          ip: '127.0.0.1',
          homes: path.join(dir, 'homes'),
          logs: path.join(dir, 'logs'),
          hubId,
          runAs: 'hub',
          memLimitBytes: MEMORY,
          interruptMs: 3000,
          termMs: 1000,
        }),
      ),
    kill: ({ state }) => {
      process.kill(Number(state['pid']), 'SIGKILL')
      return Promise.resolve()
    },
    memoryOf: ({ state }) => {
      const limits = readFileSync(`/proc/${String(state['pid'])}/limits`, 'utf8')
      return Promise.resolve(Number(/^Max data size\s+(\d+)/m.exec(limits)?.[1]))
    },
    cleanUp: () => Promise.resolve(),
  })
})

await describeWith('docker', 'the docker spawner', () => {
  const docker = new Docker()
  describe('as every spawner', { timeout: 60_000 }, () => {
    contract({
      make: async (dir, hubId, command = COMMAND) =>
        createDockerSpawner({
          socket: '/var/run/docker.sock',
          image: await ensureNotebookImage(),
          network: 'bridge',
          command,
          homeTarget: '/home/jovyan',
          readOnlyMounts: {
            ...HOST_FOLDERS,
            [path.dirname(process.execPath)]: path.dirname(process.execPath),
            [path.dirname(fakeServer)]: path.dirname(fakeServer),
          },
          memLimitBytes: MEMORY,
          pidsLimit: 128,
          logs: path.join(dir, 'logs'),
          hubId,
          stopSeconds: 3,
        }),
      kill: ({ state }) => docker.getContainer(String(state['container_id'])).kill(),
      memoryOf: async ({ state }) =>
        (await docker.getContainer(String(state['container_id'])).inspect()).HostConfig.Memory ?? 0,
      async cleanUp(hubId) {
        const filters = JSON.stringify({ label: [`org.hub=${hubId}`] })
        const { Volumes: volumes } = await docker.listVolumes({ filters })
        for (const { Name } of volumes) await docker.getVolume(Name).remove()
      },
    })
  })
})
