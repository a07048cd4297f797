import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { describeWith } from '@org/services'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { swanProbe } from './cli.ts'
import { startFakeHub } from './fake-hub.ts'
import { diskMount, hungMount } from './mounts.ts'
import { runYaml } from './run.ts'

/** Limit that each probe here gets, in seconds. */
const LIMIT = 0.5
/** What a run may take beyond its limit at worst, in seconds: the promise of the runner. */
const LATE = 1

let dir: string

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'late-'))
})

afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

/** Runs one probe that cannot end by itself; gives what it took beyond its limit. */
async function lateness(group: string, name: string, values: Readonly<Record<string, unknown>>): Promise<number> {
  const report = await runYaml(JSON.stringify({ [group]: { [name]: { ...values, timeout: LIMIT } } }))
  expect(report.results[0]).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
  // Everything up to the report, children and clean-up included.
  return report.seconds - LIMIT
}

// A machine that is busy with other tests may steal a second; one that is always late is not busy.
const options = { retry: 2 }

describe('a run is over a second after its limit at worst', () => {
  test('on a hub that never answers', options, async () => {
    await using hub = await startFakeHub({ fault: () => new Promise(() => {}) })
    const values = { scheme: 'http', hostname: '127.0.0.1', port: String(hub.port), token: hub.token, users: ['alice'] }
    expect(await lateness('jupyterhub_api', 'token', values)).toBeLessThan(LATE)
  })

  test('on an engine that never answers', options, async () => {
    const socket = path.join(dir, 'docker.sock')
    const silent = createServer(() => {}).listen(socket)
    vi.stubEnv('DOCKER_HOST', `unix://${socket}`)
    expect(await lateness('user_docker', 'docker', { container_name: 'any' })).toBeLessThan(LATE)
    silent.close()
    silent.closeAllConnections()
  })

  test('on a database that stays locked', options, async () => {
    const file = path.join(dir, 'jupyterhub.sqlite')
    using database = new DatabaseSync(file)
    database.exec('create table users (id integer); begin exclusive')
    const report = await runYaml(
      JSON.stringify({ database: { servers: { path: file, user: 'alice', mode: 'active', timeout: LIMIT } } }),
    )
    expect(report.results[0]?.status).toBe('fail')
    expect(report.seconds - LIMIT).toBeLessThan(LATE)
  })
})

await describeWith('fuse', 'a run is over a second after its limit at worst', () => {
  test('on a mount that hangs', options, async () => {
    using mount = hungMount()
    expect(await lateness('storage', 'mount_sanity', { mountpoints: [mount.dir] })).toBeLessThan(LATE)
  })

  test('on a disk that is frozen, where not even SIGKILL ends the child', options, async () => {
    using disk = diskMount(32)
    disk.freeze()
    expect(await lateness('storage', 'write', { fileSize: '64K', filePath: `${disk.dir}/` })).toBeLessThan(LATE)
  })

  test('and so is its process, beside the same run on a mount that is well', options, async () => {
    using mount = hungMount()
    const file = path.join(dir, 'one.yaml')
    const run = async (folder: string, code: number) => {
      writeFileSync(
        file,
        JSON.stringify({ tests: { storage: { mount_sanity: { mountpoints: [folder], timeout: LIMIT } } } }),
      )
      const started = performance.now()
      expect((await swanProbe(['-c', file, '-f', 'json'], { cwd: dir })).code).toBe(code)
      return (performance.now() - started) / 1000
    }
    // Starting Node takes most of the time; the first start also fills the compile cache.
    await run(dir, 0)
    const healthy = await run(dir, 0)
    const dead = await run(mount.dir, 1)
    expect(dead - healthy - LIMIT).toBeLessThan(LATE)
  })
})
