import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import path from 'node:path'

import { describeWith } from '@org/services'
import { expect, test, vi } from 'vitest'

import { containersOf, freshProvisioner, PASSWORD, query } from '../provisioner/fixtures.ts'
import { cutProxy } from './cut-proxy.ts'

vi.setConfig({ testTimeout: 90_000 })

async function hold(port = 0): Promise<{ server: Server; port: number } & AsyncDisposable> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

await describeWith('docker', 'ports', () => {
  test('a port held by a process is PORT_TAKEN; nothing is left', async () => {
    const { provisioner, root } = await freshProvisioner()
    await using holder = await hold()
    await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD, port: holder.port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(String(holder.port)),
    })
    expect(await containersOf(root)).toEqual([])
    expect(existsSync(path.join(root, 'a'))).toBe(false)
    expect(await provisioner.list()).toEqual([])
  })

  test('a port held by another server names that server', async () => {
    const { provisioner } = await freshProvisioner()
    const { port } = await provisioner.create({ name: 'holder', adminPassword: PASSWORD })
    await expect(provisioner.create({ name: 'late', adminPassword: PASSWORD, port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining('holder'),
    })
  })

  test('a chosen port that somebody takes in between is replaced by another', async () => {
    let raced: Awaited<ReturnType<typeof hold>> | undefined
    const ports: number[] = []
    await using proxy = await cutProxy({
      on: /^POST \/containers\/\w+\/start/,
      meanwhile: async () => {
        raced = await hold(ports[0])
      },
    })
    const choosePort = async () => {
      await using probe = await hold()
      ports.push(probe.port)
      return probe.port
    }
    const { provisioner, root } = await freshProvisioner({ docker: { socketPath: proxy.socketPath }, choosePort })
    try {
      const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
      expect(ports).toHaveLength(2)
      expect(server.port).toBe(ports[1])
      expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
      expect(await containersOf(root)).toHaveLength(1)
    } finally {
      await raced?.[Symbol.asyncDispose]()
    }
  })

  test('a port that is always taken is given up after five tries', async () => {
    await using holder = await hold()
    let tries = 0
    const { provisioner, root } = await freshProvisioner({
      choosePort: () => {
        tries += 1
        return Promise.resolve(holder.port)
      },
    })
    await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
    })
    expect(tries).toBe(5)
    expect(await containersOf(root)).toEqual([])
  })

  test('a recorded port is kept, and its holder reported, when a stopped server starts again', async () => {
    const { provisioner } = await freshProvisioner()
    const { port } = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    await provisioner.stop('a')
    {
      await using _holder = await hold(port)
      await expect(provisioner.start('a')).rejects.toMatchObject({ code: 'PORT_TAKEN' })
    }
    expect(await provisioner.start('a')).toMatchObject({ state: 'running', port })
  })
})
