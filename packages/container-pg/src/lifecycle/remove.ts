import { ContainerPgError } from '../errors.ts'
import { removeDurably } from '../internal/files.ts'
import { fromDisk, openFolder, removeFolder, type StorageFolder } from '../storage/folder.ts'
import { folderState, readMark } from '../storage/marks.ts'
import type { ServerRecord } from '../storage/records.ts'
import { type Context, LABEL, rootLabel } from './context.ts'

/** Stops a server's container in order, wherever it is. */
export async function stopContainer(context: Context, record: ServerRecord): Promise<void> {
  const container = await findContainer(context, record)
  if (container !== undefined) await context.engine.stop(container.id, context.stopGraceMs)
}

/**
 * Removes a server. The wish is recorded first, so that a kill in between cannot bring the server back.
 *
 * @param keepData - Whether its folder stays as it is. An erasure that was begun is brought to its end whatever is said.
 */
export async function removeServer(context: Context, record: ServerRecord, keepData: boolean): Promise<void> {
  const keeps = keepData && record.desired !== 'erasing'
  const leaving: ServerRecord = { ...record, desired: keeps ? 'removing' : 'erasing' }
  await context.records.put(leaving).catch((failure: unknown) => {
    const error = fromDisk(context.root, failure)
    // Who erases makes room. Without the mark, which goes first, nothing starts on what a kill might leave.
    if (keeps || !(error instanceof ContainerPgError && error.code === 'DISK_FULL')) throw error
  })
  if (keeps) await stopContainer(context, record)
  await discard(context, leaving)
}

/** Brings to its end what a killed create or remove began. Data goes only when it never was handed out or its removal was asked for. */
export async function discard(context: Context, record: ServerRecord): Promise<void> {
  const container = await findContainer(context, record)
  if (container !== undefined) await context.engine.remove(container.id)
  await using folder = await existingFolder(context, record)
  if (folder !== undefined && (await mayGo(folder, record))) {
    // What is left of data that were handed out must not be taken for whole ones.
    if (record.desired === 'erasing') await removeDurably(folder.markFile)
    await removeFolder(folder)
  }
  await context.records.remove(record.name)
}

async function mayGo(folder: StorageFolder, { desired, attempt }: ServerRecord): Promise<boolean> {
  if (desired === 'erasing') return true
  if (desired !== 'creating') return false
  // A folder that was ready before this create began belongs to somebody.
  if (['empty', 'half-made'].includes(await folderState(folder))) return true
  return attempt !== undefined && (await readMark(folder))?.attempt === attempt
}

async function existingFolder(context: Context, record: ServerRecord): Promise<StorageFolder | undefined> {
  try {
    return await openFolder(context.root, record.storageDir, { make: false })
  } catch (error) {
    if (error instanceof ContainerPgError && error.code === 'STORAGE_MISSING') return undefined
    throw error
  }
}

/** Finds a server's container by its labels: the folder that gave it its name may be gone. */
export async function findContainer(
  context: Context,
  record: ServerRecord,
): Promise<{ id: string; running: boolean } | undefined> {
  const found = await context.engine.list({ label: rootLabel(context) })
  return found.find((container) => container.labels[LABEL.name] === record.name)
}
