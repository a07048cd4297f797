import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { describeWith } from '@org/services'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { parseSize } from '../src/config/sizes.ts'
import { runInContainer } from '../src/docker/user-mode.ts'
import { swanProbe } from './cli.ts'
import { configOf } from './config.ts'
import { startFakeHub } from './fake-hub.ts'
import { hungMount } from './mounts.ts'
import { runProbe, runYaml, verdicts } from './run.ts'

/** The sixteen faults that were found in the original, each with the verdict that is right. */

let dir: string

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'original-'))
})

afterEach(() => rmSync(dir, { recursive: true, force: true }))

const yaml = (tests: unknown) => {
  writeFileSync(path.join(dir, 'test.yaml'), JSON.stringify({ tests }))
  return ['-c', 'test.yaml', '-f', 'table']
}
const address = (hub: { port: number; token: string }) => ({
  scheme: 'http',
  port: String(hub.port),
  token: hub.token,
  base_path: '',
})
const statuses = (report: Parameters<typeof verdicts>[0]) => verdicts(report).map(([, verdict]) => verdict)

test('1: the exit code tells of a failure, and one probe that breaks does not stop the others', async () => {
  const tests = { storage: { exists: { filePath: '/missing' }, mount_sanity: { mountpoints: [dir], timeout: 5 } } }
  const { code, stdout } = await swanProbe(yaml(tests), { cwd: dir })
  expect(code).toBe(1)
  expect(stdout).toContain('1 of 2 passed, 1 failed')
})

test('2: write, exists and delete of one path pass on a clean folder, and on a dirty one do not touch what is there', async () => {
  const filepath = path.join(dir, '0.txt')
  const trio = { storage: { write: { fileSize: '1K', filepath }, delete: { filepath }, exists: { filepath } } }
  expect(statuses(await runYaml(JSON.stringify(trio)))).toEqual(['pass', 'pass', 'pass'])
  expect(readdirSync(dir)).toEqual([])
  writeFileSync(filepath, "the user's own")
  expect(statuses(await runYaml(JSON.stringify(trio)))).toEqual(['pass', 'pass', 'pass'])
  expect(readFileSync(filepath, 'utf8')).toBe("the user's own")
})

test('2: a write that fails is not covered up by a file that an earlier run left', async () => {
  const filepath = path.join(dir, 'missing/0.txt')
  const trio = { storage: { write: { fileSize: '1K', filepath }, exists: { filepath }, delete: { filepath } } }
  const report = await runYaml(JSON.stringify(trio))
  expect(statuses(report)).toEqual(['fail PROBE_FILE', 'skipped PROBE_NEEDS', 'skipped PROBE_NEEDS'])
})

test('3: MB/s counts every byte, and the flush to the disk', async () => {
  const result = await runProbe('storage.throughput', { fileNumber: 2, fileSize: '10M', filePath: dir })
  const rows = result.lines
    .filter((line) => / write\| \d/.test(line))
    .map((line) => (line.split('| ')[1] ?? '').split('\t'))
  expect(rows).toHaveLength(2)
  for (const [, bytes, seconds, rate, , , way] of rows) {
    expect(bytes).toBe('10485760')
    // The row has eight decimals of the time.
    expect(Number(rate) / (10_485_760 / 1e6 / Number(seconds))).toBeCloseTo(1, 3)
    expect(way).toBe('fsync')
  }
})

describe('4: sizes and numbers', () => {
  test.each([1, 2, 3])('%d files have a median', async (fileNumber) => {
    const result = await runProbe('storage.throughput', { fileNumber, fileSize: '10', filePath: dir })
    expect(result.status).toBe('pass')
    const stats = result.lines.find((line) => line.includes(' write| Stats'))
    expect(stats).toMatch(new RegExp(String.raw`Stats: \[${fileNumber}(, [\d.]+){5}\]`))
  })

  test('a size without a unit is bytes, 1.5M is 1.5 MiB, and the file has that size', async () => {
    expect(parseSize('10')?.bytes).toBe(10)
    expect(parseSize('1.5M')?.bytes).toBe(1_572_864)
    const result = await runProbe('storage.checksum', { fileNumber: 1, fileSize: '1.5K', filePath: dir })
    expect(result.status).toBe('pass')
  })
})

test('5: corruption is a verdict of its own, with the digests in the log', async () => {
  // On a real disk with bytes turned over below it: storage-faults.test.ts.
  const result = await runProbe('storage.checksum', { fileNumber: 2, fileSize: '4K', filePath: dir })
  const rows = result.lines.filter((line) => line.startsWith('[INTEGRITY]'))
  expect(rows[0]).toMatch(/\| 0\.txt\tTrue\t([0-9a-f]{64})\t\1$/)
  expect(rows.at(-1)).toMatch(/\| Number of corrupted files 0$/)
})

test('6: the mounts can fail: no EOS here, and a plain folder is no repository', async () => {
  expect(await runProbe('storage.mount', { mode: 'host' })).toMatchObject({ status: 'fail', code: 'PROBE_NOT_MOUNTED' })
  const missing = { repoName: 'sft.cern.ch', repoPath: path.join(dir, 'missing') }
  expect(await runProbe('cvmfs.mount', missing)).toMatchObject({ status: 'fail', code: 'PROBE_FILE' })
  const folder = { repoName: 'sft.cern.ch', repoPath: dir }
  expect(await runProbe('cvmfs.mount', folder)).toMatchObject({ status: 'fail', code: 'PROBE_NOT_MOUNTED' })
})

await describeWith('fuse', '6: the mounts', () => {
  test('can pass: EOS and its home folders', async () => {
    using _eos = hungMount('eos')
    using _home = hungMount('eos-home-u')
    expect(await runProbe('storage.mount', { user_mode: 'host' })).toMatchObject({ status: 'pass' })
  })
})

await describeWith('fuse', '7: mount_sanity', () => {
  test('has one limit for each point, in whatever order they hang', async () => {
    using mount = hungMount()
    for (const mountpoints of [
      [dir, mount.dir],
      [mount.dir, dir],
    ]) {
      const result = await runProbe('storage.mount_sanity', { mountpoints, timeout: 1 })
      expect(result).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
      expect(result.lines.join('\n')).toContain(`mount point ${dir} tested`)
    }
  })
})

test('8: the docker probe ends at its limit (an engine that hangs and events: docker.test.ts)', async () => {
  const result = await runProbe('user_docker.docker', { container_name: 'x', timeout: 0.001 })
  expect(result.status).toBe('fail')
})

test.each([401, 429, 500, 302])('9: a token that is answered with %d is not valid', async (status) => {
  await using hub = await startFakeHub({ fault: () => ({ status, body: {} }) })
  expect(await runProbe('jupyterhub_api.token', { ...address(hub), users: ['alice'] })).toMatchObject({
    status: 'fail',
  })
})

test('10: verify decides, not the environment; http is a scheme of its own (TLS: hub-faults.test.ts)', async () => {
  const folder = path.join(import.meta.dirname, 'certificates')
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8')
  await using hub = await startFakeHub({ tls: { key: read('localhost.key'), cert: read('localhost.crt') } })
  const check = (verify: boolean, env: NodeJS.ProcessEnv) =>
    swanProbe(yaml({ jupyterhub_api: { check_api: { port: hub.port, verify } } }), { cwd: dir, env })
  expect((await check(false, { REQUESTS_CA_BUNDLE: '/missing', SSL_CERT_FILE: '/missing' })).code).toBe(0)
  expect((await check(true, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).code).toBe(1)
})

test('11: create_session is over when the server is ready, fails when its state cannot be read; stop takes 202', async () => {
  await using hub = await startFakeHub({
    spawnMs: 100,
    fault: ({ method }, self) => {
      if (method !== 'DELETE') return undefined
      setTimeout(() => (self.server = 'none'), 100)
      self.server = 'stop'
      return { status: 202 }
    },
  })
  const session = { ...address(hub), users: ['alice'] }
  const report = await runYaml(
    JSON.stringify({ jupyterhub_api: { create_session: { ...session, delay: 60 }, stop_session: session } }),
  )
  expect(statuses(report)).toEqual(['pass', 'pass'])
  expect(report.results[0]?.seconds).toBeLessThan(30)
})

test('12: sessions are found by the hub, not by a part of a container name, and without any Docker', async () => {
  await using hub = await startFakeHub()
  hub.server = 'ready'
  const here = await runProbe('jupyterhub_api.check_session', { ...address(hub), users: ['alice'] })
  expect(here).toMatchObject({ status: 'pass' })
  const other = await runProbe('jupyterhub_api.check_session', { ...address(hub), users: ['alic'] })
  expect(other).toMatchObject({ status: 'fail', code: 'PROBE_USER_UNKNOWN' })
})

test('13: the database is asked about the user, and a missing file is not made', async () => {
  const file = path.join(dir, 'jupyterhub.sqlite')
  const servers = (user: string, mode: 'active' | 'delete') => runProbe('database.servers', { path: file, user, mode })
  expect(await servers('alice', 'active')).toMatchObject({ status: 'fail', code: 'PROBE_DB_FILE' })
  expect(readdirSync(dir)).toEqual([])
  const database = new DatabaseSync(file)
  database.exec(`
    create table users (id integer, name text);
    create table servers (id integer, port integer, base_url text);
    create table spawners (id integer, user_id integer, server_id integer, name text);
    create table api_tokens (user_id integer, note text);
    insert into users values (1, 'alice'), (2, 'bob');
    insert into servers values (1, 8888, '/user/alice/');
    insert into spawners values (1, 1, 1, ''), (2, 2, null, '');
    insert into api_tokens values (null, 'a service'), (1, 'Server at /user/alice/')`)
  database.close()
  for (const [user, running] of [
    ['alice', 'active'],
    ['bob', 'delete'],
  ] as const) {
    const probes = Object.fromEntries(
      ['token', 'servers', 'spawners'].map((name) => [name, { path: file, user, mode: running }]),
    )
    expect(statuses(await runYaml(JSON.stringify({ database: probes })))).toEqual(['pass', 'pass', 'pass'])
  }
})

test('14: --test takes either spelling, and a name that runs nothing is an error', async () => {
  await using hub = await startFakeHub()
  const words = yaml({
    jupyterhub_api: { check_api: { scheme: 'http', port: hub.port } },
    storage: { exists: { filePath: '/missing' } },
  })
  for (const spelling of ['jupyterhub-api', 'jupyterhub_api']) {
    const { code, stdout } = await swanProbe([...words, '--test', spelling], { cwd: dir })
    expect([code, stdout]).toEqual([0, expect.stringContaining('1 of 1 passed')])
  }
  expect((await swanProbe([...words, '--test', 'CVMFS'], { cwd: dir })).code).toBe(2)
})

test('15: the spellings of its document are read: user_mode, filepath', () => {
  const { entries } = configOf('tests: {storage: {mount: {user_mode: host}, exists: {filepath: /x}}}')
  expect(entries.map((entry) => entry.values)).toEqual([{ mode: 'host' }, { filePath: '/x' }])
})

describe('16: nothing is left behind', () => {
  test('no file of a workload, no pickled token, no shell that reads names', async () => {
    const folder = path.join(dir, '$(touch pwned);`touch pwned`')
    const { mkdirSync } = await import('node:fs')
    mkdirSync(folder)
    await using hub = await startFakeHub()
    const storage = {
      checksum: { fileNumber: 2, fileSize: '1K', filePath: folder },
      throughput: { fileNumber: 2, fileSize: '1K', filePath: folder },
    }
    const { code } = await swanProbe(yaml({ storage, jupyterhub_api: { check_api: address(hub) } }), { cwd: dir })
    expect(code).toBe(0)
    expect(readdirSync(folder)).toEqual([])
    expect(readdirSync(dir).sort()).toEqual([path.basename(folder), 'test.yaml'].sort())
  })

  test('-u works without a terminal and says what is wrong (containers: user-mode.test.ts)', async () => {
    const { entries } = configOf('tests: {storage: {mount: {mode: host}}}')
    const report = await runInContainer(entries, 'x; touch pwned')
    expect(report.results[0]).toMatchObject({
      status: 'fail',
      code: expect.stringMatching(/^PROBE_(CONTAINER_MISSING|DOCKER_UNREACHABLE)$/),
    })
  })
})
