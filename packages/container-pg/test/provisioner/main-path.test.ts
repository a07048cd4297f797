import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { describeWith } from '@org/services'
import { expect, test, vi } from 'vitest'

import { containersOf, docker, freshProvisioner, PASSWORD, query } from './fixtures.ts'

vi.setConfig({ testTimeout: 60_000 })

await describeWith('docker', 'provisioner', () => {
  test('makes a server that lets its administrator in, and nobody else', async () => {
    const { provisioner } = await freshProvisioner()
    const server = await provisioner.create({ name: 'alice', adminPassword: PASSWORD, databases: ['shop', 'we "ird'] })
    expect(server).toMatchObject({ name: 'alice', state: 'running', databases: ['shop', 'we "ird'] })
    expect(server.port).toBeGreaterThan(1024)
    expect(await query(server, 'SELECT current_user AS me')).toEqual([{ me: 'postgres' }])
    expect(await query(server, 'SELECT current_database() AS db', PASSWORD, 'we "ird')).toEqual([{ db: 'we "ird' }])
    await expect(query(server, 'SELECT 1', 'guess')).rejects.toMatchObject({ code: '28P01' })
  })

  test('keeps data, port and password over stop, start, and remove with the data kept', async () => {
    const { provisioner, root } = await freshProvisioner()
    const first = await provisioner.create({ name: 'bob', adminPassword: PASSWORD })
    await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer')
    expect((await provisioner.stop('bob')).state).toBe('stopped')
    const started = await provisioner.start('bob')
    expect(started).toMatchObject({ state: 'running', port: first.port })
    expect(await query(started, 'TABLE kept')).toEqual([{ answer: 42 }])

    await provisioner.remove('bob', { keepData: true })
    expect(await containersOf(root)).toEqual([])
    expect(await provisioner.list()).toEqual([])
    const back = await provisioner.create({ name: 'bob', adminPassword: PASSWORD })
    expect(await query(back, 'TABLE kept')).toEqual([{ answer: 42 }])
  })

  test('answers a repeated create with the same server, and refuses another one of its name', async () => {
    const { provisioner } = await freshProvisioner()
    const spec = { name: 'carol', adminPassword: PASSWORD, settings: { work_mem: '8MB' } }
    const first = await provisioner.create(spec)
    expect(await provisioner.create(spec)).toEqual(first)
    expect(await query(first, 'SHOW work_mem')).toEqual([{ work_mem: '8MB' }])
    await expect(provisioner.create({ ...spec, settings: { work_mem: '9MB' } })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
    await expect(provisioner.create({ ...spec, adminPassword: 'other' })).rejects.toMatchObject({
      code: 'WRONG_PASSWORD',
    })
    expect(await query(first, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('is hardened without being asked', async () => {
    const { provisioner, root } = await freshProvisioner()
    await provisioner.create({ name: 'dave', adminPassword: PASSWORD })
    const [listed] = await containersOf(root)
    const facts = await docker.getContainer(listed?.Id ?? '').inspect()
    expect(facts.Config.User).not.toMatch(/^(0|root|$)/)
    expect(facts.HostConfig).toMatchObject({
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Privileged: false,
      PidsLimit: 256,
      Memory: 512 * 2 ** 20,
      PortBindings: { '5432/tcp': [{ HostIp: '127.0.0.1' }] },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    })
    expect(facts.Mounts.map((mount) => mount.Source).join()).not.toContain('docker.sock')
    expect(JSON.stringify(facts)).not.toContain(PASSWORD)
  })

  test('removes data when, and only when, that is asked for', async () => {
    const { provisioner, root } = await freshProvisioner()
    const { storageDir } = await provisioner.create({ name: 'erin', adminPassword: PASSWORD })
    // As a kill in the middle of writing the mark leaves it.
    writeFileSync(path.join(storageDir, 'container-pg.json.draft'), '{"pha')
    await provisioner.remove('erin', { keepData: false })
    expect(await containersOf(root)).toEqual([])
    expect(readdirSync(root)).toEqual(['.container-pg'])
    await expect(provisioner.remove('erin', { keepData: false })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const again = await provisioner.create({ name: 'erin', adminPassword: 'new one' })
    expect(await query(again, 'SELECT 1 AS one', 'new one')).toEqual([{ one: 1 }])
  })
})
