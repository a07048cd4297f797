import { createHash } from 'node:crypto'

import { checkKey } from '../policy/keys.ts'
import { untilAborted } from '../source/until-aborted.ts'
import { changed, taken, throwIfAborted } from '../failures.ts'
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

interface Entry {
  readonly bytes: Uint8Array
  readonly object: StoredObject
}

/** Options of {@link MemoryStore}. */
export interface MemoryStoreOptions {
  /** Clock, in milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

/** Keeps objects in memory, for tests. Nothing survives the process. */
export class MemoryStore implements Store {
  readonly #entries = new Map<string, Entry>()
  readonly #now: () => number

  constructor(options: MemoryStoreOptions = {}) {
    this.#now = options.now ?? Date.now
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<StoredObject> {
    checkKey(key)
    this.#refuseTaken(key, options)
    const chunks: Uint8Array[] = []
    throwIfAborted(options.signal)
    for await (const chunk of untilAborted(body, options.signal)) {
      chunks.push(chunk.slice())
    }
    throwIfAborted(options.signal)
    this.#refuseTaken(key, options)
    const bytes = Buffer.concat(chunks)
    const object: StoredObject = {
      ...options.headers(),
      key,
      size: bytes.length,
      etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`,
      lastModified: new Date(this.#now()),
    }
    this.#entries.set(key, { bytes, object })
    return object
  }

  #refuseTaken(key: string, options: WriteOptions): void {
    if (options.overwrite !== true && this.#entries.has(key)) throw taken(key)
  }

  async head(key: string): Promise<StoredObject | undefined> {
    return this.#entries.get(checkKey(key))?.object
  }

  async read(key: string, options: ReadOptions = {}): Promise<OpenedObject | undefined> {
    const entry = this.#entries.get(checkKey(key))
    if (entry === undefined) return undefined
    const { start, end } = options.range ?? { start: 0, end: entry.bytes.length - 1 }
    const part = entry.bytes.subarray(start, end + 1)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        if (part.length > 0) controller.enqueue(part.slice())
        controller.close()
      },
    })
    return { object: entry.object, body }
  }

  async updateHeaders(key: string, headers: ObjectHeaders, options: UpdateOptions = {}): Promise<StoredObject> {
    const entry = this.#entries.get(checkKey(key))
    if (entry === undefined || (options.etag !== undefined && options.etag !== entry.object.etag)) throw changed(key)
    const object = { ...entry.object, ...headers }
    this.#entries.set(key, { bytes: entry.bytes, object })
    return object
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(checkKey(key))
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListedObject> {
    for (const key of [...this.#entries.keys()].sort()) {
      const entry = this.#entries.get(key)
      if (entry === undefined || !key.startsWith(options.prefix ?? '')) continue
      if (options.after === undefined || key > options.after) yield { key, size: entry.bytes.length }
    }
  }
}
