import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'

import { describeWith } from '@org/services'
import { expect, test, vi } from 'vitest'

import { containersOf, docker, freshProvisioner, PASSWORD, query } from '../provisioner/fixtures.ts'

vi.setConfig({ testTimeout: 90_000 })

const limits = { memoryMiB: 128 }
/** A server with these touches more than a gigabyte while it starts. */
const greedy = { max_locks_per_transaction: 50_000 }

await describeWith('docker', 'limits', () => {
  test('limits on memory, processors and processes are set as asked', async () => {
    const { provisioner, root } = await freshProvisioner()
    const server = await provisioner.create({
      name: 'a',
      adminPassword: PASSWORD,
      limits: { memoryMiB: 128, cpus: 0.5, pids: 64 },
    })
    const [listed] = await containersOf(root)
    expect((await docker.getContainer(listed?.Id ?? '').inspect()).HostConfig).toMatchObject({
      Memory: 128 * 2 ** 20,
      MemorySwap: 128 * 2 ** 20,
      NanoCpus: 5e8,
      PidsLimit: 64,
    })
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a first start that needs more than its limit is OUT_OF_MEMORY; nothing is left', async () => {
    const { provisioner, root } = await freshProvisioner()
    await expect(
      provisioner.create({ name: 'a', adminPassword: PASSWORD, limits, settings: greedy }),
    ).rejects.toMatchObject({ code: 'OUT_OF_MEMORY', remedy: expect.stringContaining('memoryMiB') })
    expect(await containersOf(root)).toEqual([])
    expect(readdirSync(root)).toEqual(['.container-pg'])
    expect(await provisioner.list()).toEqual([])
  })

  test('a server on kept data that needs more than its limit is OUT_OF_MEMORY; the data are untouched', async () => {
    const { provisioner, root } = await freshProvisioner()
    const spec = { name: 'a', adminPassword: PASSWORD, limits }
    const server = await provisioner.create(spec)
    await query(server, 'CREATE TABLE kept AS SELECT 1 AS one')
    await provisioner.remove('a', { keepData: true })
    await expect(provisioner.create({ ...spec, settings: greedy })).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' })
    expect(await containersOf(root)).toEqual([])
    expect(await query(await provisioner.create(spec), 'TABLE kept')).toEqual([{ one: 1 }])
  })

  test('a query that eats the memory of its server is ended and reported; committed rows stay', async () => {
    const { provisioner } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD, limits })
    await query(server, 'CREATE TABLE kept AS SELECT 1 AS one')
    const stop = new AbortController()
    const heard: string[] = []
    const watching = (async () => {
      for await (const { name, kind } of provisioner.events(stop.signal)) heard.push(`${name} ${kind}`)
    })()
    // The stream has no sign that it is listening, so the query is repeated until it is heard.
    await vi.waitFor(
      async () => {
        const back = await provisioner.start('a')
        await expect(query(back, `SELECT length(repeat(repeat('x', 1000), 500000))`)).rejects.toThrow(
          /terminat|closed|ECONN/,
        )
        expect(heard).toContain('a out-of-memory')
      },
      { timeout: 60_000, interval: 200 },
    )
    stop.abort()
    await watching
    expect(await query(await provisioner.start('a'), 'TABLE kept')).toEqual([{ one: 1 }])
  })

  test.runIf(process.getuid?.() === 0)(
    'a server that writes without end fills no more than its share of the log',
    async () => {
      const { provisioner, root } = await freshProvisioner()
      const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
      const megabytes = 45
      await query(
        server,
        `DO $$ BEGIN FOR i IN 1..${megabytes} LOOP RAISE LOG '%', repeat('x', 1000000); END LOOP; END $$`,
      )
      const [listed] = await containersOf(root)
      const { LogPath } = await docker.getContainer(listed?.Id ?? '').inspect()
      const files = readdirSync(path.dirname(LogPath)).filter((file) => file.includes('-json.log'))
      const bytes = files.map((file) => statSync(path.join(path.dirname(LogPath), file)).size)
      expect(files).toHaveLength(3)
      expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(31e6)
      expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    },
  )
})
