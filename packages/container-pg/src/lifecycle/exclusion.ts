import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'

import { ContainerPgError } from '../errors.ts'
import { identityOf, type StorageFolder } from '../storage/folder.ts'
import type { ServerRecord } from '../storage/records.ts'
import { containerName, type Context } from './context.ts'

/**
 * Refuses a folder that another server in our records has, or one above or below it.
 *
 * @throws {@link ContainerPgError} `STORAGE_IN_USE`, naming the holder.
 */
export async function expectUnclaimed({ records }: Context, { name, storageDir }: ServerRecord): Promise<void> {
  for (const record of await records.all()) {
    if (record.name !== name && overlap(record.storageDir, storageDir)) throw inUse(storageDir, `server ${record.name}`)
  }
}

/**
 * Refuses a folder on which anything lives already: a server in our records, or any running container that mounts it, a folder
 * above or a folder below, by whatever name.
 *
 * @throws {@link ContainerPgError} `STORAGE_IN_USE`, naming the holder.
 */
export async function expectUnused(context: Context, folder: StorageFolder, wanted: ServerRecord): Promise<void> {
  await expectUnclaimed(context, wanted)
  // A mount of the same folder elsewhere has another path.
  const own = new Set([folder.identity, await identityAt(folder.pgdata)])
  for (const container of await context.engine.list({ running: true })) {
    if (container.name === containerName(folder.identity)) continue
    for (const { source, readOnly } of container.mounts) {
      // A backup or monitoring agent that only reads cannot be a second server.
      if (readOnly) continue
      const real = await realpath(source).catch(() => source)
      // A mount of the whole disk holds every folder and says nothing; monitoring agents have those.
      if (real === '/') continue
      if (overlap(real, folder.path) || own.has((await identityAt(real)) ?? 'gone')) {
        throw inUse(folder.path, `the container ${container.name}`)
      }
    }
  }
}

async function identityAt(place: string): Promise<string | undefined> {
  return stat(place).then(identityOf, () => undefined)
}

/** Tells whether two real paths are the same or one contains the other. */
function overlap(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one)
}

function contains(outer: string, inner: string): boolean {
  const between = path.relative(outer, inner)
  return between === '' || (!between.startsWith(`..${path.sep}`) && between !== '..' && !path.isAbsolute(between))
}

function inUse(folder: string, holder: string): ContainerPgError {
  return new ContainerPgError('STORAGE_IN_USE', `The folder ${folder} is in use by ${holder}`, {
    remedy: 'Stop and remove that one first (its data can be kept), or name another folder.',
  })
}
