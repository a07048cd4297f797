import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'

import { ContainerPgError } from '../errors.ts'
import { readJson, removeDurably, writeDurably } from '../internal/files.ts'

/** Desired state of one server, as kept on disk. Holds no secret. */
export interface ServerRecord {
  readonly name: string
  /** Real path of its folder. */
  readonly storageDir: string
  readonly port: number
  readonly image: string
  readonly limits: Limits
  readonly settings: Readonly<Record<string, string>>
  readonly databases: readonly string[]
  /**
   * `creating`: nobody was told about it yet. `running`, `stopped`: how it should be. `removing`, `erasing`: a removal
   * was asked for, without and with its data.
   */
  readonly desired: 'creating' | 'running' | 'stopped' | 'removing' | 'erasing'
  /** While it is `creating` on an empty folder: which create this is, as the folder's mark has it. */
  readonly attempt?: string | undefined
  /** RFC 3339. */
  readonly createdAt: string
}

/** What a server may use of the machine. */
export interface Limits {
  /** Memory, in MiB; a quarter of it may be shared memory. Minimum 64. @default 512 */
  readonly memoryMiB?: number
  /** Processors, such as `0.5`. @default no limit */
  readonly cpus?: number
  /** Processes; each connection is one. Minimum 32. @default 256 */
  readonly pids?: number
}

/** The records of one storage root: one file a server. */
export interface Records {
  get(name: string): Promise<ServerRecord | undefined>
  put(record: ServerRecord): Promise<void>
  remove(name: string): Promise<void>
  all(): Promise<ServerRecord[]>
}

/** Opens the records below a storage root, made when they are missing. */
export async function openRecords(root: string): Promise<Records> {
  const folder = path.join(root, '.container-pg')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const fileOf = (name: string) => path.join(folder, `${name}.json`)
  const records: Records = {
    get: (name) => readRecord(fileOf(name)),
    put: (record) => writeDurably(fileOf(record.name), `${JSON.stringify(record, undefined, 2)}\n`),
    remove: (name) => removeDurably(fileOf(name)),
    async all() {
      const names = (await readdir(folder)).filter((file) => file.endsWith('.json')).toSorted()
      const found = await Promise.all(names.map((file) => records.get(file.slice(0, -'.json'.length))))
      return found.filter((record) => record !== undefined)
    },
  }
  return records
}

async function readRecord(file: string): Promise<ServerRecord | undefined> {
  try {
    return await readJson<ServerRecord>(file)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ContainerPgError('STORAGE_REFUSED', `The record ${file} is damaged`, {
      remedy: 'Put it back from a copy. Without it nobody knows whose its folder is.',
      cause: error,
    })
  }
}
