import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { expect, onTestFinished, test, vi } from 'vitest'

import { startEmbeddedPostgres } from '../../src/embedded/index.ts'
import { query, temporaryFolder } from './fixtures.ts'

const root = process.getuid?.() === 0
const parent = path.join(import.meta.dirname, 'parent.ts')

vi.setConfig({ testTimeout: 60_000 })

test('keeps data and password from one start to the next', async () => {
  const dataDir = temporaryFolder()
  const first = await startEmbeddedPostgres({ dataDir })
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await first.stop()
  await first.stop()
  await expect(query(first.url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/)

  await using second = await startEmbeddedPostgres({ dataDir })
  expect(await query(second.url, 'TABLE kept')).toEqual([{ answer: 42 }])
  expect(new URL(second.url).password).toBe(new URL(first.url).password)
  expect(statSync(path.join(dataDir, 'secret.json')).mode & 0o777).toBe(0o600)
})

test('asks for the password and listens on 127.0.0.1 alone', async () => {
  await using server = await startEmbeddedPostgres({ dataDir: temporaryFolder(), durable: false })
  const wrong = new URL(server.url)
  wrong.password = 'guess'
  await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  const rows = await query<{ name: string; setting: string }>(
    server.url,
    `SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'unix_socket_directories', 'fsync')`,
  )
  expect(Object.fromEntries(rows.map((row) => [row.name, row.setting]))).toEqual({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
  })
})

test('passes settings on and refuses those it sets itself', async () => {
  const dataDir = temporaryFolder()
  await expect(startEmbeddedPostgres({ dataDir, settings: { port: 1 } })).rejects.toThrow(TypeError)
  await expect(startEmbeddedPostgres({ dataDir, port: 70_000 })).rejects.toThrow(RangeError)
  await using server = await startEmbeddedPostgres({ dataDir, settings: { max_connections: 7 } })
  expect(await query(server.url, 'SHOW max_connections')).toEqual([{ max_connections: '7' }])
})

test('refuses a folder that a living process uses', async () => {
  const dataDir = temporaryFolder()
  await using _server = await startEmbeddedPostgres({ dataDir })
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({ code: 'EMBEDDED_DATA_DIR_IN_USE' })
})

test('lets one of several simultaneous starts win', async () => {
  const dataDir = temporaryFolder()
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => startEmbeddedPostgres({ dataDir })))
  const servers = results.filter((result) => result.status === 'fulfilled')
  expect(servers).toHaveLength(1)
  await Promise.all(servers.map((result) => result.value.stop()))
})

test('says which port is taken and leaves the folder usable', async () => {
  const dataDir = temporaryFolder()
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  await expect(startEmbeddedPostgres({ dataDir, port })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining(String(port)),
  })
  holder.close()
  await once(holder, 'close')
  await using server = await startEmbeddedPostgres({ dataDir, port })
  expect(server.port).toBe(port)
})

test('refuses a cluster made by hand and a cluster of another major version', async () => {
  const foreign = temporaryFolder()
  writeFileSync(path.join(foreign, 'PG_VERSION'), '15\n')
  await expect(startEmbeddedPostgres({ dataDir: foreign })).rejects.toMatchObject({ code: 'EMBEDDED_DATA_DIR_FOREIGN' })
  const old = temporaryFolder()
  mkdirSync(path.join(old, 'cluster'))
  writeFileSync(path.join(old, 'cluster/PG_VERSION'), '9\n')
  await expect(startEmbeddedPostgres({ dataDir: old })).rejects.toMatchObject({ code: 'VERSION_MISMATCH' })
})

test('names the last log lines when the server does not start', async () => {
  const dataDir = temporaryFolder()
  await expect(startEmbeddedPostgres({ dataDir, settings: { shared_buffers: 'much' } })).rejects.toMatchObject({
    code: 'EMBEDDED_START_FAILED',
    logTail: expect.arrayContaining([expect.stringContaining('shared_buffers')]),
  })
})

test('throws away what a start killed during initdb left', async () => {
  const dataDir = temporaryFolder()
  mkdirSync(path.join(dataDir, 'cluster.new/base'), { recursive: true })
  writeFileSync(path.join(dataDir, 'cluster.new/PG_VERSION'), '15\n')
  await using server = await startEmbeddedPostgres({ dataDir })
  expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(existsSync(path.join(dataDir, 'cluster.new'))).toBe(false)
})

test('shuts the server down when its parent is killed, and takes the folder up again', async () => {
  const dataDir = temporaryFolder()
  const { child, url } = await startParent([dataDir])
  await query(url, 'CREATE TABLE kept AS SELECT 1 AS one')
  child.kill('SIGKILL')
  await vi.waitFor(() => expect(query(url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/), { timeout: 30_000 })
  await using server = await startEmbeddedPostgres({ dataDir })
  expect(await query(server.url, 'TABLE kept')).toEqual([{ one: 1 }])
})

test('nobody watches over a server that has ended: its number may be another process by then', async () => {
  const dataDir = temporaryFolder()
  const { child } = await startParent([dataDir])
  const watcher = watcherOf(child)
  const server = Number.parseInt(readFileSync(path.join(dataDir, 'cluster/postmaster.pid'), 'utf8'), 10)
  process.kill(server, 'SIGKILL')
  await vi.waitFor(() => expect(existsSync(`/proc/${watcher}`)).toBe(false), { timeout: 30_000 })
  expect(child.exitCode).toBeNull()
})

test('stops a server that was left running on the folder', async () => {
  const dataDir = temporaryFolder()
  const { child, url } = await startParent([dataDir])
  await query(url, 'CREATE TABLE kept AS SELECT 1 AS one')
  // The watcher dies together with its parent, as when a whole container or session is killed.
  process.kill(watcherOf(child), 'SIGKILL')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])

  await using server = await startEmbeddedPostgres({ dataDir })
  await expect(query(url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/)
  expect(await query(server.url, 'TABLE kept')).toEqual([{ one: 1 }])
})

test.runIf(root)('as root runs the server as another user, even below a folder that only root may enter', async () => {
  const locked = temporaryFolder()
  chmodSync(locked, 0o700)
  const dataDir = path.join(locked, 'data')
  await using server = await startEmbeddedPostgres({ dataDir })
  const cluster = path.join(dataDir, 'cluster')
  expect(statSync(cluster).uid).not.toBe(0)
  const pid = Number.parseInt(readFileSync(path.join(cluster, 'postmaster.pid'), 'utf8'), 10)
  expect(statSync(`/proc/${pid}`).uid).toBe(statSync(cluster).uid)
  // Backends, checkpoints and new files all go through the open descriptor.
  await query(server.url, 'CREATE TABLE filled AS SELECT generate_series(1, 10000)')
  await query(server.url, 'CHECKPOINT')
})

test.runIf(root)('runs for a normal user', async () => {
  const nobody = 65_534
  const dataDir = temporaryFolder(undefined, nobody)
  const cacheDir = temporaryFolder(undefined, nobody)
  const { url } = await startParent([dataDir, cacheDir], nobody)
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(statSync(path.join(dataDir, 'cluster')).uid).toBe(nobody)
})

async function startParent(args: string[], uid?: number): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [parent, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, url }
}

function watcherOf({ pid }: ChildProcess): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return Number(children.find((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'sh\n'))
}
