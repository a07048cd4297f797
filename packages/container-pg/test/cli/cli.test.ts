import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { text as textOf } from 'node:stream/consumers'
import { promisify } from 'node:util'

import { describeWith, ensurePostgresImage } from '@org/services'
import { Client } from 'pg'
import { expect, test, vi } from 'vitest'

import { temporaryFolder } from '../embedded/fixtures.ts'
import { containersOf, docker, freshProvisioner } from '../provisioner/fixtures.ts'

vi.setConfig({ testTimeout: 90_000 })
const main = path.join(import.meta.dirname, '../../src/cli/main.ts')

async function cli(words: readonly string[], env: Record<string, string> = {}) {
  const options = { env: { PATH: process.env['PATH'], ...env } }
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...words], options)
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

test('explains itself, and says what it expected', async () => {
  expect(await cli(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('container-pg create NAME') })
  expect((await cli([])).code).toBe(2)
  expect(await cli(['list'])).toMatchObject({ code: 1, stderr: expect.stringContaining('CONTAINER_PG_ROOT') })
  expect(await cli(['fly', '--root', '/tmp'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Unknown command fly'),
  })
  expect(await cli(['list', '--bogus', '--root', '/tmp'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--bogus'),
  })
  const root = ['--root', temporaryFolder()]
  expect(await cli(['remove', ...root])).toMatchObject({ code: 1, stderr: expect.stringContaining('Expected NAME') })
  expect(await cli(['remove', 'one', 'two', '--erase-data', ...root])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('got two'),
  })
})

test('a reader that has enough ends it without a complaint', async () => {
  const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const complaint = textOf(child.stderr)
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(await complaint).toBe('')
})

test('doctor says what is wrong, each thing in a line', async () => {
  const { code, stdout } = await cli(['doctor', '--root', temporaryFolder()], {
    DOCKER_HOST: 'unix:///nonexistent.sock',
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(/✗ engine: .*ENOENT/)
  expect(stdout).toMatch(/✓ ports: /)
  expect(stdout).toMatch(/✓ storage root: /)
})

await describeWith('docker', 'the command', () => {
  test('creates, lists, asks, dumps, restores and removes', async () => {
    const { root } = await freshProvisioner()
    const env = { CONTAINER_PG_ROOT: root, CONTAINER_PG_IMAGE: await ensurePostgresImage() }
    const created = await cli(['create', 'shop', '--database', 'orders'], env)
    expect(created.stdout).toMatch(/^postgres:\/\/postgres@127\.0\.0\.1:\d+\/postgres data in .*\/shop\n$/)
    expect(created.stderr).toMatch(/Creating shop … done in [\d.]+ s\n/)
    const password = /shown once: (\S+)/.exec(created.stderr)?.[1] ?? ''

    expect((await cli(['list'], env)).stdout).toMatch(/^shop +running +\d+ +\//)
    const asked = await cli(['psql', 'shop', '--', '-Atc', 'SELECT 6 * 7'], { ...env, PGPASSWORD: password })
    expect(asked).toEqual({ code: 0, stdout: '42\n', stderr: '' })
    const file = path.join(temporaryFolder(), 'orders.dump')
    expect((await cli(['dump', 'shop', 'orders', file], env)).stdout).toMatch(/bytes, restored once/)
    expect(await cli(['restore', 'shop', 'copy', file], env)).toMatchObject({ code: 0 })
    expect((await cli(['logs', 'shop', '--tail', '1'], env)).stdout.split('\n')).toHaveLength(2)
    expect(await cli(['doctor'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/✓ server shop: running/),
    })
    await interrupted(root)

    expect(await cli(['stop', 'shop'], env)).toMatchObject({ code: 0 })
    expect((await cli(['start', 'shop'], env)).stdout).toBe(created.stdout)
    expect(await cli(['remove', 'shop'], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--keep-data'),
    })
    const [listed] = await containersOf(root)
    await docker.getContainer(listed?.Id ?? '').remove({ force: true })
    const ill = await cli(['doctor', '--image', 'nobody/nothing:1'], env)
    expect(ill.code).toBe(1)
    expect(ill.stdout).toMatch(/✗ image: nobody\/nothing:1 is not there.*docker pull/)
    expect(ill.stdout).toMatch(/✗ server shop: lost.*container-pg start shop/)
    expect(await cli(['remove', 'shop', '--erase-data'], env)).toMatchObject({ code: 0 })
    expect((await cli(['list'], env)).stdout).toBe('')
  })

  test('reads a password from a file that is not open to all', async () => {
    const { root } = await freshProvisioner()
    const env = { CONTAINER_PG_ROOT: root, CONTAINER_PG_IMAGE: await ensurePostgresImage() }
    const file = path.join(temporaryFolder(), 'password')
    writeFileSync(file, 'from a file\n', { mode: 0o644 })
    expect(await cli(['create', 'a', '--password-file', file], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('chmod 600'),
    })
    const closed = `${file}2`
    writeFileSync(closed, 'from a file\n', { mode: 0o600 })
    const created = await cli(['create', 'a', '--password-file', closed], env)
    expect(created.stderr).not.toContain('from a file')
    const client = new Client({
      host: '127.0.0.1',
      port: Number(/:(\d+)\//.exec(created.stdout)?.[1]),
      user: 'postgres',
      password: 'from a file',
      database: 'postgres',
    })
    await client.connect()
    await client.end()
  })

  test.runIf(process.getuid?.() === 0)('works for a normal user whom the engine lets in', async () => {
    const nobody = 65_534
    const own = path.join(temporaryFolder(), 'servers')
    mkdirSync(own, { mode: 0o700 })
    chmodSync(path.dirname(own), 0o755)
    chownSync(own, nobody, nobody)
    const socket = process.env['DOCKER_HOST']?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock'
    const env = { CONTAINER_PG_IMAGE: await ensurePostgresImage(), CONTAINER_PG_PASSWORD: 'abc' }
    const words = ['create', 'mine', '--root', own]
    const created = await promisify(execFile)(process.execPath, [main, ...words], {
      env: { PATH: process.env['PATH'], ...env },
      uid: nobody,
      gid: statSync(socket).gid,
    })
    const port = Number(/:(\d+)\//.exec(created.stdout)?.[1])
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password: 'abc', database: 'postgres' })
    await client.connect()
    await client.end()
    expect(statSync(path.join(own, 'mine/pgdata/PG_VERSION')).uid).toBe(nobody)
    await promisify(execFile)(process.execPath, [main, 'remove', 'mine', '--erase-data', '--root', own], {
      env: { PATH: process.env['PATH'], ...env },
      uid: nobody,
      gid: statSync(socket).gid,
    })
    expect(readdirSync(own)).toEqual(['.container-pg'])
  })

  test('serves the API until it is told to stop', async () => {
    const { root } = await freshProvisioner()
    const token = 'a token for the service'
    const secret = 'a-very-recognisable-secret'
    const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--root', root], {
      env: { PATH: process.env['PATH'], CONTAINER_PG_TOKEN: token, CONTAINER_PG_IMAGE: await ensurePostgresImage() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const noted = textOf(child.stderr)
    try {
      const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
      expect((await fetch(url)).status).toBe(401)
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const made = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ name: 'a', admin_password: secret }),
      })
      expect(await made.json()).toMatchObject({ status: 'OK', name: 'a', state: 'running' })
      const wrong = { method: 'POST', headers, body: JSON.stringify({ name: 'a', admin_password: `${secret}2` }) }
      expect((await fetch(url, wrong)).status).toBe(401)
      for (const line of ['GET http://[ HTTP/1.1', 'TRACE /api/containers/ HTTP/1.1']) {
        expect(await saidTo(Number(new URL(url).port), `${line}\r\nHost: x\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /)
      }
      const logs = await fetch(`${url}a/logs?follow=true`, { headers })
      const reader = logs.body?.getReader()
      expect((await reader?.read())?.value?.length).toBeGreaterThan(0)
      await reader?.cancel()
    } finally {
      child.kill('SIGTERM')
    }
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(await noted).toBe('')
  })
})

/** Says something to a port and hears what comes back first. */
async function saidTo(port: number, words: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(words)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString()
}

/** Presses Ctrl-C twice in psql, where it ends a query: neither program may go. */
async function interrupted(root: string): Promise<void> {
  const folder = temporaryFolder()
  const psql = `#!${process.execPath}
let left = 2
process.on('SIGINT', () => {
  left -= 1
  console.log('query ended')
  if (left === 0) process.exit(7)
})
setInterval(() => {}, 1000)
console.log('ready')
`
  writeFileSync(path.join(folder, 'psql'), psql, { mode: 0o755 })
  const child = spawn(process.execPath, [main, 'psql', 'shop', '--root', root], {
    env: { PATH: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, as a terminal gives to what it runs.
    detached: true,
  })
  const lines = createInterface({ input: child.stdout })
  for (const line of ['ready', 'query ended']) {
    expect(await once(lines, 'line')).toEqual([line])
    process.kill(-(child.pid ?? 0), 'SIGINT')
  }
  expect(await once(child, 'exit')).toEqual([7, null])
}
