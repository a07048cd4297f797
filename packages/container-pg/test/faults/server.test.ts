import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { describeWith } from '@org/services'
import { Client } from 'pg'
import { expect, onTestFinished, test, vi } from 'vitest'

import { containersOf, docker, freshProvisioner, PASSWORD, query } from '../provisioner/fixtures.ts'
import { cutProxy } from './cut-proxy.ts'

vi.setConfig({ testTimeout: 90_000 })
const root = process.getuid?.() === 0

/** A disk of its own below a storage root. Only root can make one. */
function smallDisk(folder: string, mebibytes: number): (mebibytes: number) => void {
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', folder])
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder])
  })
  return (more) => execFileSync('mount', ['-o', `remount,size=${more}m`, folder])
}

await describeWith('docker', 'server failures', () => {
  test('a wrong password on kept data is WRONG_PASSWORD; what was started is stopped, the data untouched', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    await query(server, 'CREATE TABLE kept AS SELECT 1 AS one')
    await provisioner.remove('a', { keepData: true })
    await expect(provisioner.create({ name: 'a', adminPassword: 'other' })).rejects.toMatchObject({
      code: 'WRONG_PASSWORD',
    })
    expect(await containersOf(top)).toEqual([])
    expect(await provisioner.list()).toEqual([])
    const back = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    expect(await query(back, 'TABLE kept')).toEqual([{ one: 1 }])
  })

  test('hostile passwords are passwords, whatever they would mean to a shell or to SQL', async () => {
    const nasty = [
      `'; DROP TABLE x; --`,
      '$(touch /tmp/pwned)',
      '`touch /tmp/pwned`',
      'a b',
      ' lead and trail ',
      '"double"',
      String.raw`back\slash\n`,
      '$POSTGRES_USER',
      '%s%n',
      'ünïcödé ☃ 漢字',
      'soft\u00adhyphen, \u1680 blank, ﬁ ligature, e\u0301 in two',
      'x'.repeat(1024),
      'SCRAM-SHA-256$4096:AAAA$BBBB:CCCC',
    ]
    const { provisioner, root: top } = await freshProvisioner()
    let current = nasty[0] ?? ''
    const server = await provisioner.create({ name: 'a', adminPassword: current })
    for (const next of nasty.slice(1)) {
      await provisioner.rotatePassword('a', { current, next })
      current = next
      expect(await query(server, 'SELECT 1 AS one', current)).toEqual([{ one: 1 }])
    }
    // A password that looks like a verifier must not be taken for one at the first start either.
    const odd = await provisioner.create({ name: 'b', adminPassword: current })
    expect(await query(odd, 'SELECT 1 AS one', current)).toEqual([{ one: 1 }])
    expect(readdirSync(path.join(top, 'a')).toSorted()).toEqual(['container-pg.json', 'lock', 'pgdata'])
  })

  test.each(['', 'a\nb', 'a\0b', 'a\u0085b', 'x'.repeat(1025)])(
    'refuses password %#, without repeating it',
    async (adminPassword) => {
      const { provisioner } = await freshProvisioner()
      const refusal = (await provisioner.create({ name: 'a', adminPassword }).catch((error: unknown) => error)) as Error
      expect(refusal).toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringMatching(/^Expected `adminPassword` to be 1 to 1024/),
      })
    },
  )

  test.each([
    { name: '../x' },
    { name: 'A' },
    { name: '' },
    { name: 'x'.repeat(64) },
    { port: 80 },
    { port: 70_000 },
    { port: 1.5 },
    { image: '../../containers' },
    { image: '-v' },
    { limits: { memoryMiB: 1 } },
    { limits: { cpus: 0 } },
    { limits: { pids: 1 } },
    { settings: { port: 1 } },
    { settings: { 'a b': 1 } },
    { settings: { work_mem: 'a\nb' } },
    { databases: [''] },
    { databases: ['x'.repeat(64)] },
  ])('refuses %j', async (part) => {
    const { provisioner } = await freshProvisioner()
    await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD, ...part })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
    expect(await provisioner.list()).toEqual([])
  })

  test('no acknowledged row is lost when the container is killed, and the engine brings it back', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    await query(server, 'CREATE TABLE written (n int PRIMARY KEY)')
    const client = new Client({ ...server.connection, password: PASSWORD })
    client.on('error', () => {})
    await client.connect()
    let acknowledged = 0
    const writing = (async () => {
      for (;;) {
        await client.query('INSERT INTO written VALUES ($1)', [acknowledged + 1])
        acknowledged += 1
      }
    })().catch(() => {})
    await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(50), 30_000)
    const [listed] = await containersOf(top)
    await docker.getContainer(listed?.Id ?? '').kill({ signal: 'SIGKILL' })
    await writing
    const back = await provisioner.start('a')
    expect(
      await query(back, 'SELECT count(*)::int >= $1 AS kept FROM written'.replace('$1', String(acknowledged))),
    ).toEqual([{ kept: true }])
    await client.end().catch(() => {})
  })

  test('a container removed by hand shows as lost, and comes back with its data and port', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    await query(server, 'CREATE TABLE kept AS SELECT 1 AS one')
    const [listed] = await containersOf(top)
    await docker.getContainer(listed?.Id ?? '').remove({ force: true })
    expect(await provisioner.get('a')).toMatchObject({ state: 'lost' })
    expect(await provisioner.reconcile()).toMatchObject({ started: ['a'] })
    expect(await provisioner.get('a')).toMatchObject({ state: 'running', port: server.port })
    expect(await query(server, 'TABLE kept')).toEqual([{ one: 1 }])
    expect(await provisioner.reconcile()).toEqual({ started: [], stopped: [], finished: [], skipped: [], failed: [] })
  })

  test('a container killed during the first start leaves a folder that the next create redoes', async () => {
    let top = ''
    await using proxy = await cutProxy({
      on: /^GET \/containers\/\w+\/logs/,
      meanwhile: async () => {
        const cluster = path.join(top, 'a/pgdata/PG_VERSION')
        await vi.waitFor(() => readFileSync(cluster), { timeout: 30_000, interval: 5 })
        const [listed] = await containersOf(top)
        await docker.getContainer(listed?.Id ?? '').kill({ signal: 'SIGKILL' })
      },
    })
    const made = await freshProvisioner({ docker: { socketPath: proxy.socketPath } })
    top = made.root
    await expect(made.provisioner.create({ name: 'a', adminPassword: PASSWORD })).rejects.toMatchObject({
      code: 'SERVER_FAILED',
    })
    expect(readdirSync(top)).toEqual(['.container-pg'])
    const server = await made.provisioner.create({ name: 'a', adminPassword: PASSWORD })
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a half-made folder, known by its mark, is wiped and redone; it never was handed out', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    mkdirSync(path.join(top, 'a/pgdata'), { recursive: true })
    writeFileSync(path.join(top, 'a/pgdata/PG_VERSION'), '15\n')
    writeFileSync(path.join(top, 'a/container-pg.json'), '{"phase":"initialising","major":15}')
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a server that cannot start with its settings says why, with its last lines, and leaves nothing', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const refusal = await provisioner
      .create({ name: 'a', adminPassword: PASSWORD, settings: { shared_buffers: 'much' } })
      .catch((error: Error) => error)
    expect(refusal).toMatchObject({
      code: 'SERVER_FAILED',
      logTail: expect.arrayContaining([expect.stringContaining('shared_buffers')]),
    })
    expect(readdirSync(top)).toEqual(['.container-pg'])
    expect(await containersOf(top)).toEqual([])
  })

  test.runIf(root)('a disk that is full at the first start is DISK_FULL, and the folder is as before', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const grow = smallDisk(path.join(top, 'small'), 15)
    const spec = { name: 'a', adminPassword: PASSWORD, storageDir: 'small' }
    await expect(provisioner.create(spec)).rejects.toMatchObject({ code: 'DISK_FULL', logTail: expect.any(Array) })
    expect(readdirSync(path.join(top, 'small'))).toEqual([])
    grow(200)
    expect((await provisioner.create(spec)).state).toBe('running')
    await provisioner.remove('a', { keepData: false })
  })

  test.runIf(root)('a disk that fills up later is DISK_FULL on a start; after growing every row is there', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const grow = smallDisk(path.join(top, 'small'), 70)
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir: 'small' })
    await query(server, 'CREATE TABLE kept AS SELECT 1 AS one')
    // Fills the disk to the last byte, as a neighbour would.
    const fill = (file: string) =>
      execFileSync('sh', ['-c', 'cat /dev/zero > "$1" || true', 'sh', path.join(top, 'small', file)], {
        stdio: 'ignore',
      })
    fill('ballast')
    await expect(
      query(server, 'CREATE TABLE big AS SELECT repeat(md5(i::text), 100) FROM generate_series(1, 10000) i'),
    ).rejects.toThrow(/No space left|terminat|ECONNRESET/)
    await provisioner.stop('a')
    fill('more')
    await expect(provisioner.start('a')).rejects.toMatchObject({ code: 'DISK_FULL', logTail: expect.any(Array) })
    expect(await provisioner.get('a')).toMatchObject({ name: 'a' })
    grow(200)
    const back = await provisioner.start('a')
    expect(await query(back, 'TABLE kept')).toEqual([{ one: 1 }])
    await provisioner.remove('a', { keepData: true })
  })

  test('no secret is in what others can read', async () => {
    const secret = 'a-very-recognisable-secret'
    const { provisioner, root: top } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: secret, databases: ['x'] })
    await provisioner.rotatePassword('a', { current: secret, next: `${secret}-2` })
    expect(await query(server, 'SELECT 1 AS one', `${secret}-2`)).toEqual([{ one: 1 }])
    const [listed] = await containersOf(top)
    const container = docker.getContainer(listed?.Id ?? '')
    const { Pid } = (await container.inspect()).State
    const log: string[] = []
    for await (const line of provisioner.logs('a')) log.push(line)
    const seen = [
      JSON.stringify(await container.inspect()),
      JSON.stringify(await container.top()),
      log.join('\n'),
      readFileSync(path.join(top, '.container-pg/a.json'), 'utf8'),
      readFileSync(path.join(top, 'a/container-pg.json'), 'utf8'),
      ...(root ? ['environ', 'cmdline'].map((file) => readFileSync(`/proc/${Pid}/${file}`, 'utf8')) : []),
    ]
    expect(seen.filter((text) => text.includes(secret))).toEqual([])
  })
})
