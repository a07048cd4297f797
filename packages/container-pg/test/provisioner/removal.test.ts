import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs'
import path from 'node:path'

import { describeWith } from '@org/services'
import { expect, onTestFinished, test, vi } from 'vitest'

import { type KernelLock, tryLock } from '../../src/internal/kernel-lock.ts'
import { identityOf } from '../../src/storage/folder.ts'
import { cutProxy } from '../faults/cut-proxy.ts'
import { containersOf, freshProvisioner, PASSWORD } from './fixtures.ts'

vi.setConfig({ testTimeout: 90_000 })
const root = process.getuid?.() === 0
const spec = { name: 'a', adminPassword: PASSWORD }

/** A disk of its own. Only root can make one. */
function disk(folder: string, mebibytes: number): void {
  mkdirSync(folder, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', folder])
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder])
  })
}

await describeWith('docker', 'removal', () => {
  test('a removal that was broken off is brought to its end, and never taken back', async () => {
    await using proxy = await cutProxy({ on: /^DELETE/, cut: 'before' })
    const { provisioner, root: top } = await freshProvisioner({ docker: { socketPath: proxy.socketPath } })
    await provisioner.create(spec)
    await expect(provisioner.remove('a', { keepData: false })).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
    expect(await provisioner.get('a')).toMatchObject({ state: 'removing' })
    for (const attempt of [
      () => provisioner.start('a'),
      () => provisioner.stop('a'),
      () => provisioner.rotatePassword('a', { current: PASSWORD, next: 'other' }),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'NOT_FOUND', remedy: expect.any(String) })
    }
    // What was to be erased may be half gone already.
    await provisioner.remove('a', { keepData: true })
    expect(await containersOf(top)).toEqual([])
    expect(readdirSync(top)).toEqual(['.container-pg'])
  })

  test.runIf(root)('half-erased data is not taken for whole data, whatever is asked', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    await provisioner.create(spec)
    // Something that cannot be removed.
    disk(path.join(top, 'a/pgdata/base/busy'), 1)
    await expect(provisioner.remove('a', { keepData: false })).rejects.toThrow(/EBUSY/)
    expect(existsSync(path.join(top, 'a/pgdata'))).toBe(true)
    expect(existsSync(path.join(top, 'a/container-pg.json'))).toBe(false)
    await expect(provisioner.create(spec)).rejects.toThrow(/EBUSY/)
    expect(await containersOf(top)).toEqual([])
  })

  test('a folder that a create made stays when another operation has it by then', async () => {
    await using proxy = await cutProxy({ on: /^POST \/containers\/create/, cut: 'before', times: 100 })
    const { provisioner, root: top } = await freshProvisioner({ docker: { socketPath: proxy.socketPath } })
    for (let n = 0; ; n += 1) {
      const folder = path.join(top, `shared-${n}`)
      const watcher = watch(top)
      const snatched = new Promise<KernelLock | undefined>((resolve) => {
        watcher.on('change', (_type, name) => {
          const facts = name === `shared-${n}` ? statSync(folder, { throwIfNoEntry: false }) : undefined
          if (facts !== undefined) resolve(tryLock(`storage ${identityOf(facts)}`))
        })
      })
      const outcome: unknown = await provisioner
        .create({ ...spec, storageDir: folder })
        .catch((error: unknown) => error)
      await using lock = await Promise.race([snatched, Promise.resolve(undefined)])
      watcher.close()
      // The create was faster: it had its turn, failed at the engine, and took its folder away.
      if (lock === undefined) continue
      expect(outcome).toMatchObject({ code: 'STORAGE_IN_USE' })
      expect(readdirSync(top)).toContain(`shared-${n}`)
      break
    }
  })

  test.runIf(root)('a full disk is no reason to keep what is to be erased', async () => {
    const made = await freshProvisioner()
    const small = path.join(made.root, 'small')
    disk(small, 60)
    const provisioner = await made.again({ storageRoot: small })
    await provisioner.create(spec)
    execFileSync('sh', ['-c', 'cat /dev/zero > "$1" || true', 'sh', path.join(small, 'ballast')], { stdio: 'ignore' })
    await expect(provisioner.stop('a')).rejects.toMatchObject({ code: 'DISK_FULL' })
    await expect(provisioner.remove('a', { keepData: true })).rejects.toMatchObject({ code: 'DISK_FULL' })
    await provisioner.remove('a', { keepData: false })
    expect(await containersOf(small)).toEqual([])
    expect(readdirSync(small).toSorted()).toEqual(['.container-pg', 'ballast'])
    expect(await provisioner.list()).toEqual([])
  })

  test('a create that was killed after its first login is undone; data that were there before stay', async () => {
    const { provisioner, root: top } = await freshProvisioner()
    await provisioner.create(spec)
    const file = path.join(top, '.container-pg/a.json')
    const record = JSON.parse(readFileSync(file, 'utf8')) as object
    const { attempt } = JSON.parse(readFileSync(path.join(top, 'a/container-pg.json'), 'utf8')) as { attempt: string }
    await provisioner.remove('a', { keepData: true })
    for (const [creating, left] of [
      [{}, ['a']],
      [{ attempt: 'another' }, ['a']],
      [{ attempt }, []],
    ] as const) {
      // As the kill leaves it: the mark says ready, the record does not yet.
      writeFileSync(file, JSON.stringify({ ...record, desired: 'creating', ...creating }))
      expect(await provisioner.reconcile()).toMatchObject({ finished: ['a'] })
      expect(readdirSync(top)).toEqual(['.container-pg', ...left])
    }
  })
})
