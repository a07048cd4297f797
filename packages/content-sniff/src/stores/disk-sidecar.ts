import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { ignoreMissing, makeFolder, syncFolder } from './disk-files.ts'
import type { ObjectHeaders } from './store.ts'

/** What is said of a file that somebody else put there. */
const NO_HEADERS: ObjectHeaders = {
  contentType: 'application/octet-stream',
  contentDisposition: undefined,
  cacheControl: undefined,
  metadata: {},
}

/**
 * Headers of files, one small JSON file each, named after key and inode.
 *
 * The inode ties headers to the very bytes they were written for: replacing a file switches bytes and headers in the
 * one atomic rename, and a reader never sees the new headers with the old bytes.
 */
export class SidecarFolder {
  readonly #folder: string
  readonly #temporary: string
  readonly #durable: boolean

  constructor(folder: string, temporary: string, durable: boolean) {
    this.#folder = folder
    this.#temporary = temporary
    this.#durable = durable
  }

  #file(key: string, ino: number): string {
    // Folder names get a suffix that no key has, so that `a` and `a/b` can both be keys over time.
    const folders =
      path.dirname(key) === '.'
        ? []
        : path
            .dirname(key)
            .split('/')
            .map((name) => `${name}.d`)
    return path.join(this.#folder, ...folders, `${shortName(path.basename(key))}.${ino.toString(36)}.json`)
  }

  /** Writes headers whole or not at all; returns the file's path. */
  async write(key: string, ino: number, headers: ObjectHeaders): Promise<string> {
    const file = this.#file(key, ino)
    await makeFolder(path.dirname(file), this.#durable)
    await mkdir(this.#temporary, { recursive: true })
    const temporary = path.join(this.#temporary, randomUUID())
    const handle = await open(temporary, 'wx', 0o640)
    try {
      await handle.writeFile(JSON.stringify({ key, ...headers }))
      if (this.#durable) await handle.sync()
      await handle.close()
      await rename(temporary, file)
      if (this.#durable) await syncFolder(path.dirname(file))
    } catch (error) {
      await handle.close().catch(() => undefined)
      await rm(temporary, { force: true })
      throw error
    }
    return file
  }

  async read(key: string, ino: number): Promise<ObjectHeaders> {
    let parsed: unknown
    try {
      parsed = JSON.parse(await readFile(this.#file(key, ino), 'utf8'))
    } catch {
      // Missing, or damaged by hand: the safe answer is the one for unknown bytes.
      return NO_HEADERS
    }
    if (typeof parsed !== 'object' || parsed === null || !('key' in parsed) || parsed.key !== key) return NO_HEADERS
    const text = (name: string): string | undefined => {
      const value: unknown = Reflect.get(parsed, name)
      return typeof value === 'string' ? value : undefined
    }
    const metadata: unknown = Reflect.get(parsed, 'metadata')
    return {
      contentType: text('contentType') ?? NO_HEADERS.contentType,
      contentDisposition: text('contentDisposition'),
      cacheControl: text('cacheControl'),
      metadata:
        typeof metadata === 'object' && metadata !== null
          ? Object.fromEntries(
              Object.entries(metadata).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
            )
          : {},
    }
  }

  /** All that are there, those included whose file is gone. */
  async *list(): AsyncGenerator<Sidecar, void, undefined> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true }).catch(ignoreMissing)
    for (const entry of entries ?? []) {
      const ino = /\.([0-9a-z]+)\.json$/.exec(entry.name)?.[1]
      if (!entry.isFile() || ino === undefined) continue
      const file = path.join(entry.parentPath, entry.name)
      // It may go while it is looked at, with the upload that it belongs to.
      const [stats, text] = await Promise.all([stat(file), readFile(file, 'utf8')]).catch(
        () => [undefined, ''] as const,
      )
      const key = keyIn(text)
      if (stats !== undefined && key !== undefined)
        yield { file, key, ino: Number.parseInt(ino, 36), mtimeMs: stats.mtimeMs }
    }
  }

  async remove(key: string, ino: number): Promise<void> {
    await rm(this.#file(key, ino), { force: true })
  }
}

/** Headers as they lie in their folder. */
interface Sidecar {
  readonly file: string
  readonly key: string
  /** Inode of the file that they are about. */
  readonly ino: number
  /** Time of the last write, in milliseconds since the epoch. */
  readonly mtimeMs: number
}

/** Leaves room for inode and suffix within the 255 bytes of a name; the key inside tells clashes apart. */
function shortName(name: string): string {
  const bytes = Buffer.from(name)
  return bytes.length <= 200
    ? name
    : bytes
        .subarray(0, 200)
        .toString('utf8')
        .replace(/\ufffd+$/u, '')
}

function keyIn(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && 'key' in parsed && typeof parsed.key === 'string'
      ? parsed.key
      : undefined
  } catch {
    return undefined
  }
}
