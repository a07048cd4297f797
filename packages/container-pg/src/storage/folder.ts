import { constants, existsSync, type Stats } from 'node:fs'
import {
  chmod,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'

import { ContainerPgError } from '../errors.ts'
import { removeDurably } from '../internal/files.ts'

/** One server's folder below the storage root, checked and held open. */
export interface StorageFolder extends AsyncDisposable {
  /** Real path, without symbolic links. */
  readonly path: string
  /** Device and inode: the folder's identity whatever names lead to it. */
  readonly identity: string
  /** What the engine mounts, by names that it can use. */
  readonly mounted: { readonly pgdata: string; readonly lockFile: string }
  /** The data, for our own use. This and the next two lead into the opened folder, whatever its name leads to by now. */
  readonly pgdata: string
  /** File that the container's first process locks. */
  readonly lockFile: string
  /** Where the marks are kept, out of the container's sight. */
  readonly markFile: string
  /** Whom the server runs as. */
  readonly uid: number
  readonly gid: number
  /** Folders that were made for it, the outermost first. */
  readonly made: readonly string[]
}

/** Account of the official image on Debian; taken for folders that root makes. */
const DEFAULT_ID = 999

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'])

/**
 * Opens a server's folder, made when it is missing.
 *
 * Refuses what leads out of the root, symbolic links, files, folders of root or of a stranger, and folders that others may
 * write to. The folder is held open, so that {@link sameFolder} can tell later whether the name still means it.
 *
 * @param root - Real path of the storage root.
 * @param wanted - Folder below the root, absolute or relative to it.
 * @throws {@link ContainerPgError} `STORAGE_REFUSED`; `STORAGE_MISSING` when it may not be made.
 */
export async function openFolder(
  root: string,
  wanted: string,
  { make }: { readonly make: boolean },
): Promise<StorageFolder> {
  const folder = resolveBelow(root, wanted)
  if (!make && !existsSync(folder)) {
    throw new ContainerPgError('STORAGE_MISSING', `The folder ${folder} is not there any more`, {
      remedy: 'Put it back, or remove the server.',
    })
  }
  const made: string[] = []
  try {
    if (make) await makeFolders(root, folder, made)
    return { ...(await openExisting(folder)), made }
  } catch (error) {
    await unmake(made)
    throw error
  }
}

async function openExisting(folder: string): Promise<Omit<StorageFolder, 'made'>> {
  if ((await realpath(folder)) !== folder) throw refused(folder, 'a symbolic link leads there')
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(
    (error: unknown) => {
      throw refused(folder, 'it is not a folder that can be opened', error)
    },
  )
  try {
    const facts = await handle.stat()
    const { uid, gid } = serverAccount(folder, facts)
    const inside = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : folder
    return {
      path: folder,
      identity: identityOf(facts),
      mounted: { pgdata: path.join(folder, 'pgdata'), lockFile: path.join(folder, 'lock') },
      pgdata: path.join(inside, 'pgdata'),
      lockFile: path.join(inside, 'lock'),
      markFile: path.join(inside, 'container-pg.json'),
      uid,
      gid,
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** What a file or folder is, whatever names lead to it. */
export const identityOf = ({ dev, ino }: Stats): string => `${dev.toString(36)}-${ino.toString(36)}`

/** Tells whether a folder's name still leads to what was opened. */
export async function sameFolder(folder: StorageFolder): Promise<boolean> {
  try {
    return identityOf(await stat(folder.path)) === folder.identity && (await realpath(folder.path)) === folder.path
  } catch {
    return false
  }
}

/** Names the folder that a request means, without touching the disk. */
export function resolveBelow(root: string, wanted: string): string {
  if (wanted === '' || /[\0\n\r]/.test(wanted)) throw refused(JSON.stringify(wanted), 'it is not a usable path')
  if (wanted.split('/').includes('..')) throw refused(wanted, 'it contains `..`')
  const folder = path.resolve(root, wanted)
  const inside = path.relative(root, folder)
  if (inside === '' || inside.startsWith('..') || path.isAbsolute(inside)) {
    throw refused(folder, `it is not below the storage root ${root}`)
  }
  if (inside.split(path.sep).some((part) => part.startsWith('.')))
    throw refused(folder, 'hidden names are kept for records')
  return folder
}

async function makeFolders(root: string, folder: string, made: string[]): Promise<void> {
  let at = root
  for (const part of path.relative(root, folder).split(path.sep)) {
    at = path.join(at, part)
    try {
      // One by one: each step is checked before the next goes through it.
      await mkdir(at, { mode: 0o700 })
      made.push(at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw refused(at, 'it cannot be made', error)
      if ((await realpath(at)) !== at) throw refused(at, 'a symbolic link leads there')
    }
  }
}

/** Takes away folders that were made for nothing; those in which something lies by now stay. */
export async function unmake(made: readonly string[]): Promise<void> {
  for (const folder of made.toReversed()) await rmdir(folder).catch(() => {})
}

function serverAccount(folder: string, { uid, gid, mode }: Stats): { uid: number; gid: number } {
  const self = process.getuid?.() ?? 0
  if ((mode & 0o002) !== 0) throw refused(folder, 'every user may write to it')
  if (self === 0) return uid === 0 ? { uid: DEFAULT_ID, gid: DEFAULT_ID } : { uid, gid: gid === 0 ? uid : gid }
  if (uid !== self) throw refused(folder, `it belongs to user ${uid}, not to ${self}`)
  return { uid, gid }
}

function refused(folder: string, why: string, cause?: unknown): ContainerPgError {
  return new ContainerPgError('STORAGE_REFUSED', `Refused the folder ${folder}: ${why}`, {
    remedy: 'Name a folder of your own below the storage root, or a new one.',
    cause,
  })
}

/** Makes the parts that the container mounts. */
export async function prepareFolder(folder: StorageFolder): Promise<void> {
  if (await unlessThere(folder, mkdir(folder.pgdata, { mode: 0o700 }))) {
    await using data = await openData(folder)
    await ownedBy(folder, data.handle)
  }
  // Never replaced: two files of this name would be two locks.
  if (await unlessThere(folder, writeFile(folder.lockFile, '', { flag: 'wx', mode: 0o444 }))) {
    await chmod(folder.lockFile, 0o444)
  }
  if (!(await lstat(folder.pgdata)).isDirectory()) throw refused(folder.path, '`pgdata` in it is no folder')
  if (!(await lstat(folder.lockFile)).isFile()) throw refused(folder.path, '`lock` in it is no file')
}

/** Tells whether something was made, or was there before. */
async function unlessThere(folder: StorageFolder, making: Promise<unknown>): Promise<boolean> {
  try {
    await making
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw fromFolder(folder.path, error)
  }
}

/**
 * Opens the data for changing them. The folder's owner may have put a link in their place, and root must not empty or give
 * away what it leads to.
 */
async function openData(folder: StorageFolder): Promise<AsyncDisposable & { handle: FileHandle; inside: string }> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  const handle = await open(folder.pgdata, flags).catch((error: unknown) => {
    throw refused(folder.path, '`pgdata` in it is not a folder that can be opened', error)
  })
  const inside = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : folder.pgdata
  return { handle, inside, [Symbol.asyncDispose]: () => handle.close() }
}

async function ownedBy({ uid, gid }: StorageFolder, handle: FileHandle): Promise<void> {
  if (process.getuid?.() === 0) await handle.chown(uid, gid)
}

/** Says what a failure to read or write below the storage root means; hands back what is none. */
export function fromDisk(folder: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (FULL.has(code)) {
    const remedy = 'Free some space on its disk.'
    return new ContainerPgError('DISK_FULL', `No space left for ${folder}`, { remedy, cause: error })
  }
  if (!FORBIDDEN.has(code)) return error
  const remedy = 'Check the owner and mode of the folder and of those above it.'
  return new ContainerPgError('STORAGE_REFUSED', `May not use the folder ${folder} (${code})`, { remedy, cause: error })
}

/** The same for work inside a server's folder, which somebody may take away meanwhile. */
export function fromFolder(folder: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return fromDisk(folder, error)
  const remedy = 'Put it back, or try again.'
  return new ContainerPgError('STORAGE_MISSING', `The folder ${folder} went away meanwhile`, { remedy, cause: error })
}

/** Tells whether a folder holds database files. */
export async function hasData(folder: StorageFolder): Promise<boolean> {
  try {
    return (await readdir(folder.pgdata)).length > 0
  } catch {
    return false
  }
}

/** Throws away the database files of a server that was never handed out; the folder itself stays, as it may be mounted. */
export async function emptyData(folder: StorageFolder): Promise<void> {
  await using data = await openData(folder)
  for (const name of await readdir(data.inside)) {
    await rm(path.join(data.inside, name), { recursive: true, force: true, maxRetries: 3 })
  }
  // A kill between making the folder and handing it over leaves it with the wrong owner.
  await ownedBy(folder, data.handle)
  await data.handle.chmod(0o700)
}

/** Removes what a server has in its folder. */
export async function clearFolder(folder: StorageFolder): Promise<void> {
  // The mark goes last: what is left of the data is then known for what it is.
  await rm(folder.pgdata, { recursive: true, force: true, maxRetries: 3 })
  await removeDurably(folder.markFile)
  await rm(folder.lockFile, { force: true })
}

/** Removes what a server has in its folder, and the folder when nothing else is in it. */
export async function removeFolder(folder: StorageFolder): Promise<void> {
  await clearFolder(folder)
  if (!(await sameFolder(folder))) return
  try {
    await rmdir(folder.path)
  } catch {
    // The user keeps something else there, or it is a mount point.
  }
}
