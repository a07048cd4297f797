import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { describeWith, ensurePostgresImage } from '@org/services'
import Docker from 'dockerode'
import { expect, test, vi } from 'vitest'

import { dockerCleanup } from '../../src/testing/index.ts'

vi.setConfig({ testTimeout: 60_000 })
const docker = new Docker()

async function left(suite: string): Promise<number> {
  const filters = { label: [`container-pg.suite=${suite}`] }
  const [containers, volumes, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
    docker.listNetworks({ filters }),
  ])
  return containers.length + (volumes.Volumes ?? []).length + networks.length
}

await describeWith('docker', 'dockerCleanup', () => {
  test('removes what a run made, and nothing of another suite', async () => {
    const suite = `own-${process.pid}`
    await using other = await dockerCleanup({ suite: `other-${process.pid}` })
    await docker.createVolume({ Labels: other.labels })
    const run = await dockerCleanup({ suite })
    const folder = await run.folder()
    const name = `cpg-${process.pid}`
    await docker.createVolume({ Name: name, Labels: run.labels })
    await docker.createNetwork({ Name: name, Labels: run.labels, Internal: true })
    await docker.createContainer({
      Image: await ensurePostgresImage(),
      Cmd: ['sleep', '1000'],
      Labels: run.labels,
      HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: '/data' }] },
    })
    expect(await left(suite)).toBe(3)
    await run[Symbol.asyncDispose]()
    expect(await left(suite)).toBe(0)
    expect(existsSync(folder)).toBe(false)
    expect(await left(`other-${process.pid}`)).toBe(1)
  })

  test('removes what a killed run left, and leaves a living one alone', async () => {
    const suite = `killed-${process.pid}`
    const start = async () => {
      const child = spawn(process.execPath, [path.join(import.meta.dirname, 'run-holder.ts'), suite], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [folder] = (await once(createInterface(child.stdout), 'line')) as [string]
      return { child, folder }
    }
    const killed = await start()
    const living = await start()
    try {
      killed.child.kill('SIGKILL')
      await once(killed.child, 'exit')
      expect(await left(suite)).toBe(2)
      await using _run = await dockerCleanup({ suite })
      expect(await left(suite)).toBe(1)
      expect([existsSync(killed.folder), existsSync(living.folder)]).toEqual([false, true])
    } finally {
      living.child.kill('SIGKILL')
      await once(living.child, 'exit')
      await using _last = await dockerCleanup({ suite })
    }
    expect(await left(suite)).toBe(0)
  })

  test('refuses a name that could match more than the suite', async () => {
    await expect(dockerCleanup({ suite: '../x' })).rejects.toThrow(TypeError)
  })
})
