import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'

import { describeWith, ensurePostgresImage } from '@org/services'
import type Docker from 'dockerode'
import { expect, onTestFinished, test, vi } from 'vitest'

import { createProvisioner } from '../../src/index.ts'
import { temporaryFolder } from '../embedded/fixtures.ts'
import { containersOf, docker, freshProvisioner, PASSWORD, query, runOfThisFile } from '../provisioner/fixtures.ts'
import { cutProxy } from './cut-proxy.ts'

vi.setConfig({ testTimeout: 90_000 })
const root = process.getuid?.() === 0

test('refuses a storage root that others may write to', async () => {
  const folder = temporaryFolder()
  chmodSync(folder, 0o777)
  await expect(createProvisioner({ storageRoot: folder })).rejects.toMatchObject({ code: 'STORAGE_REFUSED' })
})

/** A container made by hand that has a folder. */
async function holderOf(
  folder: string,
  labels: Record<string, string>,
): Promise<AsyncDisposable & { readonly name: string }> {
  const container = await docker.createContainer({
    Image: await ensurePostgresImage(),
    Cmd: ['sleep', '1000'],
    Labels: { ...(await runOfThisFile()).labels, ...labels },
    HostConfig: { Binds: [`${folder}:/anywhere`] },
  })
  await container.start()
  const { Name } = await container.inspect()
  return { name: Name.slice(1), [Symbol.asyncDispose]: () => container.remove({ force: true, v: true }) }
}

const nowhere = { docker: { socketPath: '/nonexistent/docker.sock' } }

test('takes a storage root by a name that leads to it through a link, in requests too', async () => {
  const folder = temporaryFolder()
  mkdirSync(path.join(folder, 'real'), { mode: 0o700 })
  symlinkSync('real', path.join(folder, 'link'))
  const storageRoot = path.join(folder, 'link')
  const provisioner = await createProvisioner({ storageRoot, ...nowhere })
  const create = (storageDir: string) => provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir })
  // Past the check of the folder there is no engine.
  await expect(create(`${storageRoot}/a`)).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
  await expect(create(`${storageRoot}x/a`)).rejects.toMatchObject({ code: 'STORAGE_REFUSED' })
  await expect(create(`${storageRoot}/../a`)).rejects.toMatchObject({ code: 'STORAGE_REFUSED' })
})

test('a damaged record is named, and the keeping goes on', async () => {
  const storageRoot = temporaryFolder()
  const provisioner = await createProvisioner({ storageRoot, ...nowhere })
  const record = path.join(storageRoot, '.container-pg/a.json')
  writeFileSync(record, '{')
  const damaged = { code: 'STORAGE_REFUSED', message: expect.stringContaining(record), remedy: expect.any(String) }
  await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD })).rejects.toMatchObject(damaged)
  const stop = new AbortController()
  const heard: unknown[] = []
  await provisioner.keep(stop.signal, (result) => {
    heard.push(result)
    if (heard.length === 2) stop.abort()
  })
  expect(heard).toMatchObject([damaged, damaged])
})

await describeWith('docker', 'folders', () => {
  test.each(['', '/', '..', '../x', 'a/../../x', '/etc', '.container-pg', 'a\nb', 'a\0b'])(
    'refuses the folder %j',
    async (storageDir) => {
      const { provisioner } = await freshProvisioner()
      await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir })).rejects.toMatchObject({
        code: 'STORAGE_REFUSED',
      })
      expect(await provisioner.list()).toEqual([])
    },
  )

  test('refuses symbolic links, in the last part and above, in and out of the root', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const outside = temporaryFolder()
    mkdirSync(path.join(top, 'real'))
    symlinkSync(outside, path.join(top, 'out'))
    symlinkSync(path.join(top, 'real'), path.join(top, 'in'))
    for (const storageDir of ['out', 'out/deeper', 'in', 'in/deeper']) {
      await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir })).rejects.toMatchObject({
        code: 'STORAGE_REFUSED',
      })
    }
    expect(existsSync(path.join(outside, 'deeper'))).toBe(false)
  })

  test('refuses files and folders that everybody may write to', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    writeFileSync(path.join(top, 'file'), '')
    mkdirSync(path.join(top, 'open'))
    chmodSync(path.join(top, 'open'), 0o777)
    for (const storageDir of ['file', 'open']) {
      await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir })).rejects.toMatchObject({
        code: 'STORAGE_REFUSED',
      })
    }
  })

  test('takes odd but honest names, and a nested folder', async () => {
    const { provisioner } = await freshProvisioner()
    const server = await provisioner.create({
      name: 'a',
      adminPassword: PASSWORD,
      storageDir: 'team: x/my "data" $(id)',
    })
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(server.storageDir).toMatch(/team: x\/my "data" \$\(id\)$/)
  })

  test.runIf(root)('runs the server as the folder’s owner', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const folder = path.join(top, 'owned')
    mkdirSync(folder)
    chownSync(folder, 23_456, 23_456)
    await provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir: 'owned' })
    const [listed] = await containersOf(top)
    expect((await docker.getContainer(listed?.Id ?? '').inspect()).Config.User).toBe('23456:23456')
  })

  test.runIf(root)('neither empties nor gives away nor mounts what a link in a folder leads to', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const precious = temporaryFolder()
    writeFileSync(path.join(precious, 'kept'), '')
    for (const part of ['pgdata', 'lock']) {
      const folder = path.join(top, part)
      mkdirSync(folder)
      symlinkSync(precious, path.join(folder, part))
      // Its owner may write marks, too.
      writeFileSync(path.join(folder, 'container-pg.json'), '{"phase":"initialising","major":15}')
      chownSync(folder, 23_456, 23_456)
      await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir: part })).rejects.toMatchObject({
        code: 'STORAGE_REFUSED',
        message: expect.stringContaining(part),
      })
    }
    expect(readdirSync(precious)).toEqual(['kept'])
    expect(statSync(precious).uid).toBe(0)
    expect(await containersOf(top)).toEqual([])
  })

  test.runIf(root)('a create that fails leaves the folder that was there, and none that was not', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const theirs = path.join(top, 'theirs')
    mkdirSync(theirs, { mode: 0o700 })
    chownSync(theirs, 23_456, 23_456)
    await using holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    for (const storageDir of ['theirs', 'new/deep/folder']) {
      await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir, port })).rejects.toMatchObject({
        code: 'PORT_TAKEN',
      })
    }
    expect(readdirSync(top).toSorted()).toEqual(['.container-pg', 'theirs'])
    expect([statSync(theirs).uid, readdirSync(theirs)]).toEqual([23_456, []])
  })

  test('notices a folder that was exchanged between the check and the mount', async () => {
    let top = ''
    await using proxy = await cutProxy({
      on: /^POST \/containers\/create/,
      meanwhile: () => {
        renameSync(path.join(top, 'a'), path.join(top, 'moved'))
        mkdirSync(path.join(top, 'a/pgdata'), { recursive: true })
        chmodSync(path.join(top, 'a/pgdata'), 0o777)
        writeFileSync(path.join(top, 'a/lock'), '')
        writeFileSync(path.join(top, 'a/pgdata/of-somebody'), 'precious')
      },
    })
    const made = await freshProvisioner({ docker: { socketPath: proxy.socketPath } })
    top = made.root
    await expect(made.provisioner.create({ name: 'a', adminPassword: PASSWORD })).rejects.toMatchObject({
      code: 'STORAGE_REFUSED',
    })
    expect(await containersOf(top)).toEqual([])
    expect(existsSync(path.join(top, 'a/pgdata/of-somebody'))).toBe(true)
  })

  test('one live server a folder: the same, above, below, and whoever made the other container', async () => {
    const { provisioner, root: top, again } = await freshProvisioner()
    await provisioner.create({ name: 'first', adminPassword: PASSWORD, storageDir: 'team/first' })
    const second = await again()
    for (const storageDir of ['team/first', 'team', 'team/first/pgdata', 'team/first/pgdata/new/deep']) {
      await expect(second.create({ name: 'second', adminPassword: PASSWORD, storageDir })).rejects.toMatchObject({
        code: 'STORAGE_IN_USE',
        message: expect.stringContaining('first'),
      })
    }
    expect(existsSync(path.join(top, 'team/first/pgdata/new'))).toBe(false)

    mkdirSync(path.join(top, 'byhand'))
    {
      await using _byHand = await holderOf(path.join(top, 'byhand'), { 'container-pg.root': top })
      await expect(
        provisioner.create({ name: 'third', adminPassword: PASSWORD, storageDir: 'byhand' }),
      ).rejects.toMatchObject({ code: 'STORAGE_IN_USE' })
    }
    expect((await provisioner.create({ name: 'third', adminPassword: PASSWORD, storageDir: 'byhand' })).state).toBe(
      'running',
    )
  })

  test.runIf(root)('a container that has the folder by another path is a holder, too', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    mkdirSync(path.join(top, 'here'))
    const elsewhere = temporaryFolder()
    execFileSync('mount', ['--bind', path.join(top, 'here'), elsewhere])
    onTestFinished(() => {
      execFileSync('umount', ['-l', elsewhere])
    })
    await using holder = await holderOf(elsewhere, {})
    await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD, storageDir: 'here' })).rejects.toMatchObject({
      code: 'STORAGE_IN_USE',
      message: expect.stringContaining(holder.name),
    })
  })

  test('the first process itself refuses a folder that another container has locked', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    const [listed] = await containersOf(top)
    const { Config, HostConfig } = await docker.getContainer(listed?.Id ?? '').inspect()
    // A second one exactly like the first, as a provisioner that knows nothing of the first would make it.
    const twin = await docker.createContainer({
      ...Config,
      HostConfig: { ...HostConfig, PortBindings: {}, RestartPolicy: { Name: 'no' } },
    })
    await twin.start()
    expect(((await twin.wait()) as { StatusCode: number }).StatusCode).toBe(75)
    await twin.remove({ v: true })
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a container that another provisioner makes in between is left alone, and so is the data', async () => {
    let top = ''
    let theirs: Docker.Container | undefined
    const image = await ensurePostgresImage()
    await using proxy = await cutProxy({
      on: /^POST \/containers\/create/,
      meanwhile: async () => {
        const { dev, ino } = statSync(path.join(top, 'a'))
        writeFileSync(path.join(top, 'a/pgdata/theirs'), '')
        theirs = await docker.createContainer({
          name: `container-pg-${dev.toString(36)}-${ino.toString(36)}`,
          Image: image,
          Cmd: ['sleep', '1000'],
          Labels: { 'container-pg.root': top },
        })
        await theirs.start()
      },
    })
    const made = await freshProvisioner({ docker: { socketPath: proxy.socketPath } })
    top = made.root
    await expect(made.provisioner.create({ name: 'a', adminPassword: PASSWORD })).rejects.toMatchObject({
      code: 'STORAGE_IN_USE',
    })
    expect((await theirs?.inspect())?.State.Running).toBe(true)
    expect(existsSync(path.join(top, 'a/pgdata/theirs'))).toBe(true)
    expect(await made.provisioner.list()).toEqual([])
  })

  test('data of an unknown maker is refused, or adopted when that is asked for', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    await provisioner.remove('a', { keepData: true })
    rmSync(path.join(top, 'a/container-pg.json'))
    await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD })).rejects.toMatchObject({
      code: 'STORAGE_FOREIGN',
    })
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD, adopt: true })
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('data of another major version is refused before a start, naming both', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    await provisioner.remove('a', { keepData: true })
    writeFileSync(path.join(top, 'a/pgdata/PG_VERSION'), '9\n')
    await expect(provisioner.create({ name: 'a', adminPassword: PASSWORD })).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
      message: expect.stringMatching(/Postgres 9;.*Postgres \d+$/),
    })
    expect(await containersOf(top)).toEqual([])
  })

  test('a folder deleted under a server shows as failed, and a start says what is missing', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    rmSync(path.join(top, 'a'), { recursive: true })
    expect(await provisioner.get('a')).toMatchObject({ state: 'failed' })
    await expect(provisioner.start('a')).rejects.toMatchObject({ code: 'STORAGE_MISSING' })
    await provisioner.remove('a', { keepData: false })
    expect(await containersOf(top)).toEqual([])
  })
})
