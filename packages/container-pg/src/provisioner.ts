import { mkdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'

import { type DockerConnection, dockerEngine } from './engine/docker.ts'
import { ContainerPgError } from './errors.ts'
import { freePort } from './internal/free-port.ts'
import { ADMIN, type Context, LABEL, lockBackups, lockServer, rootLabel } from './lifecycle/context.ts'
import { createServer, startServer } from './lifecycle/create.ts'
import { reconcile, type Reconciliation } from './lifecycle/reconcile.ts'
import { findContainer, removeServer, stopContainer } from './lifecycle/remove.ts'
import { checkDatabase, checkName, checkPassword, type ServerSpec } from './lifecycle/spec.ts'
import { runningServer, type Server, serverOf } from './lifecycle/view.ts'
import { keep, type ServerEvent, serverEvents } from './lifecycle/watch.ts'
import { dump, type DumpManifest, restore, type Source } from './postgres/backup.ts'
import { rotatePassword } from './postgres/rotate.ts'
import { fromDisk } from './storage/folder.ts'
import { openRecords, type Records, type ServerRecord } from './storage/records.ts'

/** Options of {@link createProvisioner}. */
export interface ProvisionerOptions {
  /** How to reach the container engine. @default the environment (`DOCKER_HOST`), else the usual local socket */
  readonly docker?: DockerConnection
  /** Folder below which all data and the provisioner's records lie; made when it is missing. Belongs to this user alone. */
  readonly storageRoot: string
  /** Image of servers that name none. The engine must have it: nothing is pulled. @default 'postgres:17' */
  readonly image?: string
  /** Extra labels for every container. */
  readonly labels?: Readonly<Record<string, string>>
  /** Deadline of each call to the engine, in milliseconds. Minimum 100. @default 15_000 */
  readonly engineTimeoutMs?: number
  /** Longest time from a container's start to its first login, in milliseconds. Minimum 1000. @default 60_000 */
  readonly readyTimeoutMs?: number
  /** Time that a server gets to shut down before it is killed, in milliseconds. @default 60_000 */
  readonly stopGraceMs?: number
  /** Longest wait for another operation on the same server, in milliseconds. @default 120_000 */
  readonly lockTimeoutMs?: number
  /** Clock for `createdAt`. @default () => new Date() */
  readonly now?: () => Date
  /** Chooses a port for servers that name none. @default a free one of the kernel's choice */
  readonly choosePort?: () => Promise<number>
}

/** Makes and keeps Postgres servers in containers. Several of them, in several processes, may share a storage root. */
export interface Provisioner {
  /**
   * Brings a server to life and returns when a login through its port has worked. Repeated, it is the same create: it
   * waits for, starts or re-attaches what is there.
   *
   * @throws {@link ContainerPgError} `INVALID_INPUT`, `NAME_TAKEN`, `WRONG_PASSWORD`, `PORT_TAKEN`, `IMAGE_MISSING`,
   * `STORAGE_IN_USE`, `STORAGE_REFUSED`, `STORAGE_FOREIGN`, `VERSION_MISMATCH`, `DISK_FULL`, `INIT_SCRIPT_FAILED`,
   * `SERVER_FAILED`, `SERVER_RECOVERING`, `BUSY`, `ENGINE_UNREACHABLE`, `ENGINE_TIMEOUT`, `ENGINE_FAILED`.
   */
  create(spec: ServerSpec): Promise<Server>
  /** Looks at one server, `undefined` when there is none of that name. */
  get(name: string): Promise<Server | undefined>
  /** Looks at all servers, in the order of their names. */
  list(): Promise<readonly Server[]>
  /** Starts a stopped, failed or lost server; harmless when it runs. @throws as {@link Provisioner.create}, and `NOT_FOUND` */
  start(name: string): Promise<Server>
  /** Shuts a server down in order; its data and port stay its own. @throws {@link ContainerPgError} `NOT_FOUND` */
  stop(name: string): Promise<Server>
  /**
   * Removes a server, and with `keepData: false` its data for ever.
   * @throws {@link ContainerPgError} `NOT_FOUND`
   */
  remove(name: string, options: { readonly keepData: boolean }): Promise<void>
  /**
   * Sets the administrator's password and proves it with a login. Repeated, it is the same change.
   * @throws {@link ContainerPgError} `NOT_FOUND`, `NOT_RUNNING`, `INVALID_INPUT`, `WRONG_PASSWORD`, `SERVER_RECOVERING`.
   */
  rotatePassword(name: string, passwords: { readonly current: string; readonly next: string }): Promise<void>
  /**
   * Reads what the server's container wrote since its last start, line by line.
   * @throws {@link ContainerPgError} `NOT_FOUND`.
   */
  logs(name: string, options?: ServerLogOptions): AsyncIterable<string>
  /** Reports what happens to servers until the signal, or until the engine goes away. */
  events(signal: AbortSignal): AsyncIterable<ServerEvent>
  /**
   * Writes one database to a new file and proves it by restoring it into a scratch database. Beside it lies `FILE.json`.
   * @throws {@link ContainerPgError} `NOT_FOUND`, `NOT_RUNNING`, `INVALID_INPUT`, `DUMP_FAILED`, `DISK_FULL`, `BUSY`.
   */
  dump(name: string, options: BackupOptions): Promise<DumpManifest>
  /**
   * Restores a dump into a database that does not exist yet, and is there once it is whole; everything in it belongs to the
   * administrator.
   * @throws {@link ContainerPgError} `NOT_FOUND`, `NOT_RUNNING`, `DATABASE_EXISTS`, `DUMP_DAMAGED`, `RESTORE_FAILED`, `BUSY`.
   */
  restore(name: string, options: BackupOptions): Promise<DumpManifest>
  /** Closes the gap between what is recorded and what runs; call it when the service starts, or use {@link Provisioner.keep}. */
  reconcile(): Promise<Reconciliation>
  /**
   * Reconciles now and whenever the engine comes back, until the signal.
   * @param report - Hears of every reconciliation, and of everything that stood in the way of one.
   */
  keep(signal: AbortSignal, report?: (result: Reconciliation | Error) => void): Promise<void>
}

/** Which lines of a server's log are wanted. */
export interface ServerLogOptions {
  /** Number of last lines. @default all */
  readonly tail?: number
  /** Wait for more until the signal. @default false */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/** What {@link Provisioner.dump} and {@link Provisioner.restore} work on. */
export interface BackupOptions {
  readonly file: string
  readonly database: string
}

/**
 * Opens a storage root for making servers.
 *
 * Nothing is started and nothing reconciled: see {@link Provisioner.reconcile}.
 *
 * @throws {@link ContainerPgError} `STORAGE_REFUSED` when the root is not a folder of this user alone, or may
 * not be used; `DISK_FULL`.
 * @throws RangeError when a time is out of its range.
 * @example
 * const provisioner = await createProvisioner({ storageRoot: '/srv/postgres' })
 * const server = await provisioner.create({ name: 'alice', adminPassword })
 * const client = new Client({ ...server.connection, password: adminPassword })
 */
export async function createProvisioner(options: ProvisionerOptions): Promise<Provisioner> {
  const context = await openContext(options)
  const expectRecord = async (name: string): Promise<ServerRecord> => {
    checkName(name)
    const record = await context.records.get(name)
    if (record === undefined || record.desired === 'creating') throw notFound(name)
    return record
  }
  /** A server that is being removed is as good as gone: its data may be half gone already. */
  const expectStaying = async (name: string): Promise<ServerRecord> => {
    const record = await expectRecord(name)
    if (record.desired === 'running' || record.desired === 'stopped') return record
    throw new ContainerPgError('NOT_FOUND', `Server ${name} is being removed`, {
      remedy: 'Remove it again to bring that to its end, or reconcile.',
    })
  }
  const view = async (record: ServerRecord) => {
    const listed = await context.engine.list({ label: rootLabel(context) })
    return serverOf(
      record,
      listed.find((container) => container.labels[LABEL.name] === record.name),
    )
  }

  return {
    create: async (spec) => runningServer(await createServer(context, spec)),

    async get(name) {
      checkName(name)
      const record = await context.records.get(name)
      return record === undefined ? undefined : view(record)
    },

    async list() {
      const listed = await context.engine.list({ label: rootLabel(context) })
      const records = await context.records.all()
      return records.map((record) =>
        serverOf(
          record,
          listed.find((container) => container.labels[LABEL.name] === record.name),
        ),
      )
    },

    async start(name) {
      await using _lock = await lockServer(context, name)
      return runningServer(await startServer(context, await expectStaying(name)))
    },

    async stop(name) {
      await using _lock = await lockServer(context, name)
      const record: ServerRecord = { ...(await expectStaying(name)), desired: 'stopped' }
      await context.records.put(record).catch((error: unknown) => {
        throw fromDisk(context.root, error)
      })
      await stopContainer(context, record)
      return view(record)
    },

    async remove(name, { keepData }) {
      await using _lock = await lockServer(context, name)
      await removeServer(context, await expectRecord(name), keepData)
    },

    async rotatePassword(name, { current, next }) {
      checkPassword(next)
      await using _lock = await lockServer(context, name)
      const { record } = await expectRunning(name)
      const address = { port: record.port, user: ADMIN, password: current, database: 'postgres' }
      await rotatePassword(name, address, next)
    },

    async *logs(name, options = {}) {
      const container = await findContainer(context, await expectRecord(name))
      if (container !== undefined) yield* context.engine.logs(container.id, options)
    },

    events: (signal) => serverEvents(context, signal),

    async dump(name, { database, file }) {
      checkDatabase(database)
      await using _turn = await lockBackups(context, name)
      const { source } = await expectRunning(name)
      return await dump(source, database, file, context.now().toISOString())
    },

    async restore(name, { database, file }) {
      checkDatabase(database)
      await using _turn = await lockBackups(context, name)
      const { source } = await expectRunning(name)
      return await restore(source, database, file)
    },

    reconcile: () => reconcile(context),
    keep: (signal, report = () => {}) => keep(context, signal, report),
  }

  async function expectRunning(name: string): Promise<{ record: ServerRecord; source: Source }> {
    const record = await expectStaying(name)
    const container = await findContainer(context, record)
    if (container?.running !== true) {
      throw new ContainerPgError('NOT_RUNNING', `Server ${name} does not run`, { remedy: 'Start it first.' })
    }
    return { record, source: { engine: context.engine, id: container.id, name, user: ADMIN } }
  }
}

async function openContext(options: ProvisionerOptions): Promise<Context> {
  const { engineTimeoutMs = 15_000, readyTimeoutMs = 60_000, stopGraceMs = 60_000, lockTimeoutMs = 120_000 } = options
  expectAtLeast('engineTimeoutMs', engineTimeoutMs, 100)
  expectAtLeast('readyTimeoutMs', readyTimeoutMs, 1000)
  expectAtLeast('stopGraceMs', stopGraceMs, 0)
  expectAtLeast('lockTimeoutMs', lockTimeoutMs, 0)
  const { root, records } = await openRoot(options.storageRoot)
  return {
    engine: dockerEngine(options.docker, engineTimeoutMs),
    root,
    namedRoot: path.resolve(options.storageRoot),
    records,
    image: options.image ?? 'postgres:17',
    labels: options.labels ?? {},
    readyTimeoutMs,
    stopGraceMs,
    lockTimeoutMs,
    now: options.now ?? (() => new Date()),
    choosePort: options.choosePort ?? freePort,
  }
}

async function openRoot(folder: string): Promise<{ root: string; records: Records }> {
  try {
    await mkdir(path.resolve(folder), { recursive: true, mode: 0o700 })
    const root = await realpath(folder)
    const { uid, mode } = await stat(root)
    const self = process.getuid?.() ?? uid
    if (uid === self && (mode & 0o022) === 0) return { root, records: await openRecords(root) }
    throw new ContainerPgError(
      'STORAGE_REFUSED',
      `Expected the storage root ${root} to belong to user ${self}, writable by no other`,
      { remedy: 'Make a folder of its own with mode 0700.' },
    )
  } catch (error) {
    throw fromDisk(path.resolve(folder), error)
  }
}

function expectAtLeast(name: string, value: number, least: number): void {
  if (!(Number.isFinite(value) && value >= least)) {
    throw new RangeError(`Expected \`${name}\` to be at least ${least}, got \`${value}\``)
  }
}

function notFound(name: string): ContainerPgError {
  return new ContainerPgError('NOT_FOUND', `There is no server ${name}`, { remedy: 'See the list of servers.' })
}
