import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'

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
    await mkdir(path.dirname(file), { recursive: true })
    await mkdir(this.#temporary, { recursive: true })
    const temporary = path.join(this.#temporary, randomUUID())
    const handle = await open(temporary, 'wx', 0o640)
    try {
      await handle.writeFile(JSON.stringify({ key, ...headers }))
      if (this.#durable) await handle.sync()
      await handle.close()
      await rename(temporary, file)
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

  async remove(key: string, ino: number): Promise<void> {
    await rm(this.#file(key, ino), { force: true })
  }
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
