import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, realpath, rename, rm, unlink } from 'node:fs/promises'
import path from 'node:path'

import { SniffError } from '../errors.ts'
import { checkKey, RESERVED_FOLDER } from '../policy/keys.ts'
import { untilAborted } from '../source/until-aborted.ts'
import { cannot, codeOf, ignoreMissing, makeFolder, readRange, syncFolder } from './disk-files.ts'
import { pour } from './disk-pour.ts'
import { SidecarFolder } from './disk-sidecar.ts'
import { changed, storeFailed, taken, throwIfAborted } from '../failures.ts'
import type {
  ListedObject,
  ListOptions,
  ObjectHeaders,
  OpenedObject,
  ReadOptions,
  Store,
  StoredObject,
  UpdateOptions,
  WriteOptions,
} from './store.ts'

/** Options of {@link DiskStore}. */
export interface DiskStoreOptions {
  /** Folder that holds the objects; made when missing. Only this process and others like it should write there. */
  readonly root: string
  /**
   * Waits until bytes and names are on the disk before an upload counts as done.
   * @default true
   */
  readonly durable?: boolean
}

/**
 * Keeps each object as a plain file below a folder, its headers beside it under `.content-sniff/`.
 *
 * A file appears under its key whole or not at all: bytes go to a temporary name, are flushed, and get their key by a
 * hard link (or a rename when overwriting). No symbolic link below the root is followed. Needs a file system with hard
 * links. What a crash leaves has no key; {@link DiskStore.sweep} removes it.
 */
export class DiskStore implements Store {
  readonly #root: string
  readonly #temporary: string
  readonly #sidecars: SidecarFolder
  readonly #durable: boolean

  constructor(options: DiskStoreOptions) {
    if (typeof options.root !== 'string' || options.root === '') {
      throw new TypeError(`Expected \`root\` to be a folder, got \`${String(options.root)}\``)
    }
    this.#root = path.resolve(options.root)
    this.#temporary = path.join(this.#root, RESERVED_FOLDER, 'tmp')
    this.#durable = options.durable ?? true
    this.#sidecars = new SidecarFolder(
      path.join(this.#root, RESERVED_FOLDER, 'headers'),
      this.#temporary,
      this.#durable,
    )
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<StoredObject> {
    checkKey(key)
    throwIfAborted(options.signal)
    await makeFolder(this.#temporary, this.#durable).catch(cannot('make its folder'))
    if (options.overwrite !== true && (await this.head(key)) !== undefined) throw taken(key)
    const temporary = path.join(this.#temporary, randomUUID())
    const handle = await open(temporary, 'wx', 0o640).catch(cannot('make a file'))
    let sidecar: string | undefined
    try {
      await pour(untilAborted(body, options.signal), handle)
      throwIfAborted(options.signal)
      const { ino, size } = await handle.stat().catch(cannot('describe a file'))
      const headers = options.headers()
      // Both wait for the disk, and together once. A failure of one must not leave what the other does meanwhile.
      const [flushed, described] = await Promise.allSettled([
        this.#durable ? handle.sync().catch(cannot('flush a file')) : undefined,
        this.#sidecars.write(key, ino, headers).catch(cannot('write headers')),
      ])
      if (described.status === 'rejected') throw described.reason
      sidecar = described.value
      if (flushed.status === 'rejected') throw flushed.reason
      const folder = await this.#folderOf(key, true)
      throwIfAborted(options.signal)
      const replaced = await this.#place(
        temporary,
        path.join(folder, path.basename(key)),
        key,
        options.overwrite === true,
      )
      sidecar = undefined
      if (this.#durable) await syncFolder(folder)
      if (replaced !== undefined) await this.#sidecars.remove(key, replaced)
      const object = await this.head(key)
      if (object === undefined || object.size !== size) throw changed(key)
      return object
    } finally {
      await handle.close()
      await rm(temporary, { force: true })
      if (sidecar !== undefined) await rm(sidecar, { force: true })
    }
  }

  /** Gives the bytes their key; returns the inode that had it before. */
  async #place(temporary: string, final: string, key: string, overwrite: boolean): Promise<number | undefined> {
    if (!overwrite) {
      try {
        await link(temporary, final)
        return undefined
      } catch (cause) {
        throw codeOf(cause) === 'EEXIST' ? taken(key, cause) : storeFailed('name a file', cause)
      }
    }
    const ino = await this.#inodeOf(key)
    await rename(temporary, final).catch(cannot('name a file'))
    return ino
  }

  async head(key: string): Promise<StoredObject | undefined> {
    checkKey(key)
    const handle = await this.#open(key)
    if (handle === undefined) return undefined
    try {
      return await this.#describe(key, handle)
    } finally {
      await handle.close()
    }
  }

  async read(key: string, options: ReadOptions = {}): Promise<OpenedObject | undefined> {
    checkKey(key)
    const handle = await this.#open(key)
    if (handle === undefined) return undefined
    try {
      const object = await this.#describe(key, handle)
      const range = options.range ?? { start: 0, end: object.size - 1 }
      return { object, body: ReadableStream.from(readRange(handle, range, options.signal)) }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async updateHeaders(key: string, headers: ObjectHeaders, options: UpdateOptions = {}): Promise<StoredObject> {
    checkKey(key)
    const handle = await this.#open(key)
    if (handle === undefined) throw changed(key)
    try {
      const object = await this.#describe(key, handle)
      if (options.etag !== undefined && options.etag !== object.etag) throw changed(key)
      await this.#sidecars.write(key, (await handle.stat()).ino, headers).catch(cannot('write headers'))
      return await this.#describe(key, handle)
    } finally {
      await handle.close()
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key)
    const handle = await this.#open(key)
    if (handle === undefined) return
    try {
      const { ino } = await handle.stat()
      await unlink(path.join(await this.#folderOf(key, false), path.basename(key))).catch(ignoreMissing)
      await this.#sidecars.remove(key, ino)
    } finally {
      await handle.close()
    }
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListedObject> {
    const keys: string[] = []
    const entries = await readdir(this.#root, { recursive: true, withFileTypes: true }).catch(ignoreMissing)
    for (const entry of entries ?? []) {
      const key = path.relative(this.#root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/')
      if (entry.isFile() && !key.startsWith(`${RESERVED_FOLDER}/`)) keys.push(key)
    }
    for (const key of keys.sort()) {
      if (!key.startsWith(options.prefix ?? '') || (options.after !== undefined && key <= options.after)) continue
      const object = await this.head(key).catch((error: unknown) => {
        // A file that someone else put there under a name that is no key is not ours to list.
        if (error instanceof SniffError && error.code === 'SNIFF_BAD_KEY') return undefined
        throw error
      })
      if (object !== undefined) yield { key, size: object.size }
    }
  }

  /**
   * Removes what a crash left behind: temporary files, and headers of files that never got their name or lost it. Safe
   * while other uploads run, given an age above the longest.
   *
   * @param olderThanMs - Age since the last write, in milliseconds.
   * @returns How many were removed.
   */
  async sweep(olderThanMs: number, now: number = Date.now()): Promise<number> {
    let removed = 0
    for (const name of (await readdir(this.#temporary).catch(ignoreMissing)) ?? []) {
      const file = path.join(this.#temporary, name)
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(ignoreMissing)
      if (handle === undefined) continue
      const { mtimeMs } = await handle.stat()
      await handle.close()
      if (now - mtimeMs < olderThanMs) continue
      await rm(file, { force: true })
      removed += 1
    }
    for await (const { file, key, ino, mtimeMs } of this.#sidecars.list()) {
      if (now - mtimeMs < olderThanMs || (await this.#inodeOf(key)) === ino) continue
      await rm(file, { force: true })
      removed += 1
    }
    return removed
  }

  /** The inode that a key names now. */
  async #inodeOf(key: string): Promise<number | undefined> {
    const handle = await this.#open(key)
    if (handle === undefined) return undefined
    try {
      return (await handle.stat()).ino
    } finally {
      await handle.close()
    }
  }

  async #describe(key: string, handle: FileHandle): Promise<StoredObject> {
    const stats = await handle.stat().catch(cannot('describe a file'))
    const headers = await this.#sidecars.read(key, stats.ino)
    return {
      key,
      size: stats.size,
      etag: `"${stats.ino.toString(36)}-${stats.size.toString(36)}-${Math.trunc(stats.mtimeMs * 1000).toString(36)}"`,
      lastModified: stats.mtime,
      ...headers,
    }
  }

  /** Opens a regular file without following links; `undefined` when there is none. */
  async #open(key: string): Promise<FileHandle | undefined> {
    let handle: FileHandle | undefined
    try {
      const file = path.join(await this.#folderOf(key, false), path.basename(key))
      handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      if ((await handle.stat()).isFile()) return handle
      await handle.close()
      return undefined
    } catch (cause) {
      await handle?.close()
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(cause) ?? '')) return undefined
      throw cause instanceof SniffError ? cause : storeFailed('open a file', cause)
    }
  }

  /** The folder of a key, checked to be where its name says: a symbolic link on the way leads elsewhere. */
  async #folderOf(key: string, make: boolean): Promise<string> {
    if (make) await makeFolder(this.#root, this.#durable).catch(cannot('make a folder'))
    const root = await realpath(this.#root)
    let folder = root
    for (const segment of path.dirname(key) === '.' ? [] : path.dirname(key).split('/')) {
      folder = path.join(folder, segment)
      if (make) {
        try {
          await mkdir(folder)
          if (this.#durable) await syncFolder(path.dirname(folder))
        } catch (cause) {
          if (codeOf(cause) !== 'EEXIST') throw storeFailed('make a folder', cause)
        }
      }
      if ((await realpath(folder)) !== folder) {
        throw new SniffError('SNIFF_BAD_KEY', 'Expected a key below plain folders, a symbolic link is on the way')
      }
    }
    return folder
  }
}
