import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'

import { describeWith, ensurePostgresImage, freePort } from '@org/services'
import { expect, test, vi } from 'vitest'

import { createProvisioner } from '../../src/index.ts'
import { temporaryFolder } from '../embedded/fixtures.ts'
import { containersOf, docker, freshProvisioner, PASSWORD, query } from '../provisioner/fixtures.ts'
import { cutProxy } from './cut-proxy.ts'

vi.setConfig({ testTimeout: 90_000 })
const spec = { name: 'a', adminPassword: PASSWORD }

test.each([
  ['a socket that does not exist', () => ({ socketPath: '/nonexistent/docker.sock' })],
  [
    'a port that nobody listens on',
    async () => ({ host: '127.0.0.1', port: await freePort(), protocol: 'http' as const }),
  ],
])('%s is ENGINE_UNREACHABLE at once, and leaves nothing', async (_, connection) => {
  const provisioner = await createProvisioner({ storageRoot: temporaryFolder(), docker: await connection() })
  const begun = performance.now()
  await expect(provisioner.create(spec)).rejects.toMatchObject({
    code: 'ENGINE_UNREACHABLE',
    remedy: expect.any(String),
  })
  expect(performance.now() - begun).toBeLessThan(2000)
  await expect(provisioner.reconcile()).resolves.toMatchObject({ failed: [] })
})

test('an engine that never answers is ENGINE_TIMEOUT at the deadline', async () => {
  const socketPath = path.join(temporaryFolder(), 'hung.sock')
  const hung = createServer(() => {}).listen(socketPath)
  await once(hung, 'listening')
  try {
    const provisioner = await createProvisioner({
      storageRoot: temporaryFolder(),
      docker: { socketPath },
      engineTimeoutMs: 300,
    })
    await expect(provisioner.create(spec)).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' })
    await expect(provisioner.list()).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' })
  } finally {
    hung.close()
  }
})

await describeWith('docker', 'a faulty engine', () => {
  test('an image that is not there is IMAGE_MISSING, by its name, without a pull', async () => {
    const { provisioner, root } = await freshProvisioner()
    await expect(provisioner.create({ ...spec, image: 'nobody/nothing:1' })).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      message: expect.stringContaining('nobody/nothing:1'),
    })
    expect(await containersOf(root)).toEqual([])
    expect(await provisioner.list()).toEqual([])
  })

  test('an image without flock is IMAGE_UNFIT', async () => {
    const base = await ensurePostgresImage()
    const container = await docker.createContainer({ Image: base, Cmd: ['rm', '/usr/bin/flock'] })
    await container.start()
    await container.wait()
    const { Id } = (await container.commit({ changes: 'CMD ["postgres"]' })) as { Id: string }
    await container.remove({ v: true })
    try {
      const { provisioner, root } = await freshProvisioner({ image: Id })
      await expect(provisioner.create(spec)).rejects.toMatchObject({ code: 'IMAGE_UNFIT' })
      expect(await containersOf(root)).toEqual([])
    } finally {
      await docker.getImage(Id).remove({ force: true })
    }
  })

  for (const [request, on] of [
    ['create', /^POST \/containers\/create/],
    ['start', /^POST \/containers\/\w+\/start/],
    ['inspect', /^GET \/containers\/\w+\/json/],
    ['update', /^POST \/containers\/\w+\/update/],
  ] as const) {
    for (const cut of ['before', 'after'] as const) {
      test(`a connection cut ${cut} ${request} leaves nothing that the next call does not put right`, async () => {
        await using proxy = await cutProxy({ on, cut })
        const { provisioner, root } = await freshProvisioner({ docker: { socketPath: proxy.socketPath } })
        const first = await provisioner.create(spec).then(
          () => 'made',
          (error: { code: string }) => error.code,
        )
        expect(proxy.struck()).toBe(1)
        expect(['made', 'ENGINE_UNREACHABLE']).toContain(first)
        const server = await provisioner.create(spec)
        expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
        expect(await containersOf(root)).toHaveLength(1)
      })
    }
  }

  test('a connection that stays cut is put right by reconcile once the engine is back', async () => {
    await using proxy = await cutProxy({
      on: /^POST \/containers\/\w+\/start|^DELETE|^GET \/containers\/json/,
      cut: 'before',
      times: 50,
    })
    const { provisioner, root, again } = await freshProvisioner({ docker: { socketPath: proxy.socketPath } })
    await expect(provisioner.create(spec)).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    const healthy = await again({ docker: { socketPath: '/var/run/docker.sock' } })
    await healthy.reconcile()
    expect(await containersOf(root)).toEqual([])
    expect(await healthy.list()).toEqual([])
    expect((await healthy.create(spec)).state).toBe('running')
  })

  test.each([
    ['as it begins', 0],
    ['in the middle', 100_000],
  ])('a connection cut %s of a dump leaves neither a file nor a program', async (_, passing) => {
    await using proxy = await cutProxy({ on: /^POST \/exec\/\w+\/start/, cut: 'after', passing, skip: 2 })
    const { provisioner } = await freshProvisioner({ docker: { socketPath: proxy.socketPath } })
    const server = await provisioner.create(spec)
    await query(server, 'CREATE TABLE t AS SELECT md5(i::text) || md5((i * 7)::text) FROM generate_series(1, 50000) i')
    const folder = temporaryFolder()
    await expect(provisioner.dump('a', { database: 'postgres', file: path.join(folder, 'x') })).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENGINE_UNREACHABLE|DUMP_FAILED)$/),
    })
    expect(proxy.struck()).toBe(1)
    expect(readdirSync(folder)).toEqual([])
    const programs = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'container_pg_backup'`
    await expect.poll(() => query(server, programs)).toEqual([])
  })

  test('two provisioners that want one name make one server', async () => {
    const { root, again } = await freshProvisioner()
    const [one, two] = await Promise.all([again(), again()])
    const servers = await Promise.all(Array.from({ length: 5 }, () => [one.create(spec), two.create(spec)]).flat())
    expect(new Set(servers.map((server) => server.port)).size).toBe(1)
    expect(await containersOf(root)).toHaveLength(1)
  })
})
