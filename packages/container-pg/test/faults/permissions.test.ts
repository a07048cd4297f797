import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'

import { expect, test } from 'vitest'

import { createProvisioner } from '../../src/index.ts'
import { temporaryFolder } from '../embedded/fixtures.ts'

const NOBODY = 65_534

/** Does something with the rights of a normal user; the file system asks for the effective one. */
async function asNormalUser<Result>(work: () => Promise<Result>): Promise<Result> {
  const self = process.geteuid?.()
  if (self !== 0) return work()
  process.setegid?.(NOBODY)
  process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}

/** A folder that belongs to the normal user. */
function ownFolder(): string {
  const folder = temporaryFolder()
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY)
  return folder
}

test('a storage root that may not be made is STORAGE_REFUSED, naming it', async () => {
  const closed = ownFolder()
  chmodSync(closed, 0o500)
  const storageRoot = path.join(closed, 'deeper/root')
  await asNormalUser(() =>
    expect(createProvisioner({ storageRoot })).rejects.toMatchObject({
      code: 'STORAGE_REFUSED',
      message: expect.stringMatching(/deeper\/root.*EACCES/),
      remedy: expect.any(String),
    }),
  )
  expect(readdirSync(closed)).toEqual([])
})

test('a storage root that may not be written to is STORAGE_REFUSED before anything is begun', async () => {
  const storageRoot = temporaryFolder()
  chmodSync(storageRoot, 0o500)
  await asNormalUser(() =>
    expect(createProvisioner({ storageRoot })).rejects.toMatchObject({
      code: 'STORAGE_REFUSED',
      message: expect.stringContaining('EACCES'),
    }),
  )
  expect(readdirSync(storageRoot)).toEqual([])
})

test('a file in the place of the storage root is STORAGE_REFUSED', async () => {
  await expect(createProvisioner({ storageRoot: import.meta.filename })).rejects.toMatchObject({
    code: 'STORAGE_REFUSED',
  })
})

test('an engine whose socket is not ours to open is ENGINE_UNREACHABLE, with what to do', async () => {
  const folder = temporaryFolder()
  chmodSync(folder, 0o755)
  const socketPath = path.join(folder, 'engine.sock')
  await using engine = createServer(() => {}).listen(socketPath)
  await once(engine, 'listening')
  chmodSync(socketPath, 0o000)
  mkdirSync(path.join(folder, 'root'), { mode: 0o700 })
  const provisioner = await createProvisioner({ storageRoot: path.join(folder, 'root'), docker: { socketPath } })
  await asNormalUser(() =>
    expect(provisioner.list()).rejects.toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: expect.stringContaining('EACCES'),
      remedy: expect.stringContaining('socket'),
    }),
  )
})
