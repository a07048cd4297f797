import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import type { Socket } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { Client } from 'pg'

import { ContainerPgError } from '../errors.ts'
import { freePort } from '../internal/free-port.ts'
import { tryLock } from '../internal/kernel-lock.ts'
import { type Account, unprivilegedAccount } from './account.ts'
import { type Binaries, findBinaries } from './binaries.ts'
import { clusterMajor, createCluster, type Layout, layoutOf, openFolder, readSecret, tailOf } from './cluster.ts'
import { stopLeftover } from './leftover.ts'

/** Options of {@link startEmbeddedPostgres}. */
export interface EmbeddedPostgresOptions {
  /** Folder that keeps the data, made when it is missing. It belongs to this package alone. */
  readonly dataDir: string
  /** TCP port on 127.0.0.1. @default a free port, another one at each start */
  readonly port?: number
  /** Folder with `initdb` and `postgres`. @default the npm platform package, else PATH and the usual system folders */
  readonly binDir?: string
  /**
   * Folder that keeps the unpacked programs, shared by all servers of a user.
   * @default `~/.cache/container-pg`, as root `/var/cache/container-pg`
   */
  readonly cacheDir?: string
  /** Server settings beside those that this package needs, such as `{ max_connections: 20 }`. No place for secrets. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /**
   * Whether a commit survives a power cut. `false` makes a server for tests faster.
   * @default true
   */
  readonly durable?: boolean
  /** Longest time from the server's start to its first answer, in milliseconds. @default 60_000 */
  readonly startTimeoutMs?: number
  /** Time for each step of stopping (fast, immediate, kill), in milliseconds. @default 30_000 */
  readonly stopGraceMs?: number
}

/** A running server; disposing stops it and keeps its data. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** Address of the database `postgres` as superuser, with its generated password. Keep it out of logs. */
  readonly url: string
  /** TCP port on 127.0.0.1. */
  readonly port: number
  /** Major version of the server, such as `15`. */
  readonly major: number
  /** Stops the server: rolls back what is running, keeps what was committed. Safe to repeat. */
  stop(): Promise<void>
}

const RESERVED = ['port', 'listen_addresses', 'unix_socket_directories', 'data_directory', 'hba_file']

/**
 * Starts a real Postgres server of one's own, without Docker, listening on 127.0.0.1 only.
 *
 * The first start on a folder makes the database cluster and its password; later starts find both again. One server at a
 * time lives on a folder. When this process dies the server is shut down; one that was left behind all the same is stopped
 * at the next start. As root the server runs as the folder's owner, `postgres` or `nobody`.
 *
 * Not a sandbox: no limits, no isolation, no image. See the README for what only containers promise.
 *
 * @returns The server, ready: a login has worked.
 * @throws {@link ContainerPgError} `EMBEDDED_DATA_DIR_IN_USE`, `EMBEDDED_DATA_DIR_FOREIGN`, `EMBEDDED_NO_BINARIES`,
 * `EMBEDDED_NO_USER`, `EMBEDDED_INIT_FAILED`, `EMBEDDED_START_FAILED`, `PORT_TAKEN`, `VERSION_MISMATCH`.
 * @throws RangeError when `port` is no TCP port; TypeError when `settings` names one that this package sets itself.
 * @example
 * await using postgres = await startEmbeddedPostgres({ dataDir: '.data/postgres' })
 * const client = new Client(postgres.url)
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { port, settings = {}, durable = true, startTimeoutMs = 60_000, stopGraceMs = 30_000 } = options
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new RangeError(`Expected \`port\` to be a whole number from 1 to 65535, got \`${port}\``)
  }
  const reserved = Object.keys(settings).find((name) => RESERVED.includes(name) || !/^[a-z_][\w.]*$/.test(name))
  if (reserved !== undefined) throw new TypeError(`Expected \`settings\` to leave \`${reserved}\` alone`)

  const dataDir = path.resolve(options.dataDir)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  if (existsSync(path.join(dataDir, 'PG_VERSION'))) {
    throw new ContainerPgError(
      'EMBEDDED_DATA_DIR_FOREIGN',
      `${dataDir} is a Postgres folder that this package did not make`,
      {
        remedy: 'Choose an empty folder; move data over with pg_dump.',
      },
    )
  }
  const { dev, ino } = await stat(dataDir)
  const lock = await tryLock(`embedded ${dev} ${ino}`)
  if (lock === undefined) {
    throw new ContainerPgError('EMBEDDED_DATA_DIR_IN_USE', `A living process runs a server on ${dataDir}`, {
      remedy: 'Stop it, or choose another folder.',
    })
  }
  await using stack = new AsyncDisposableStack()
  stack.use(lock)
  const layout = layoutOf(dataDir)
  const major = await clusterMajor(layout.cluster)
  const owner = (await stat(existsSync(layout.cluster) ? layout.cluster : dataDir)).uid
  const account = await unprivilegedAccount(owner)
  const { binDir, cacheDir } = options
  const binaries = await findBinaries({ binDir, cacheDir, major, forOtherUser: account !== undefined })
  if (major === undefined) await createCluster(layout, binaries, account, durable)
  else await stopLeftover(layout.cluster, stopGraceMs)

  const flags = Object.entries(
    durable ? settings : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', ...settings },
  )
  const password = await readSecret(layout)
  const server = await startOnPort({ layout, binaries, account, flags, port, startTimeoutMs, password })
  stack.defer(() => stopServer(server.child, stopGraceMs))
  stack.use(watchParent(server.child, account))

  const held = stack.move()
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= held.disposeAsync())
  return {
    url: urlOf(server.port, password),
    port: server.port,
    major: binaries.major,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

interface Launch {
  readonly layout: Layout
  readonly binaries: Binaries
  readonly account: Account | undefined
  readonly flags: readonly (readonly [string, string | number | boolean])[]
  readonly port: number | undefined
  readonly startTimeoutMs: number
  readonly password: string
}

interface Running {
  readonly child: ChildProcess
  readonly port: number
}

const PORT_TRIES = 5

async function startOnPort(launch: Launch): Promise<Running> {
  for (let left = PORT_TRIES; ; left -= 1) {
    const port = launch.port ?? (await freePort())
    const child = await spawnServer(launch, port)
    try {
      await ready(child, launch, port)
      return { child, port }
    } catch (error) {
      await stopServer(child, 1000)
      const logTail = await tailOf(launch.layout.log)
      if (logTail.some((line) => /could not bind .*address/i.test(line))) {
        if (launch.port === undefined && left > 1) continue
        throw new ContainerPgError('PORT_TAKEN', `Port ${port} on 127.0.0.1 is taken by another program`, {
          remedy: 'Choose another port, or leave `port` out.',
          cause: error,
          logTail,
        })
      }
      throw new ContainerPgError(
        'EMBEDDED_START_FAILED',
        `The server did not get ready: ${String((error as Error).message)}`,
        {
          remedy: `See \`logTail\` and ${launch.layout.log}.`,
          cause: error,
          logTail,
        },
      )
    }
  }
}

async function spawnServer({ layout, binaries, account, flags }: Launch, port: number): Promise<ChildProcess> {
  await using folder = await openFolder(layout.cluster, account)
  await using log = await open(layout.log, 'w', 0o600)
  const settings = [
    ...flags,
    ['port', port],
    ['listen_addresses', '127.0.0.1'],
    // No socket file: nothing to clash with, no length limit, no folder that others can write to.
    ['unix_socket_directories', ''],
  ]
  const child = spawn(
    path.join(binaries.binDir, 'postgres'),
    ['-D', folder.name, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    {
      cwd: '/',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      // A session of its own: Ctrl-C in the terminal reaches us, and we stop the server in order.
      detached: true,
      stdio: ['ignore', log.fd, log.fd, ...folder.descriptors],
      ...account,
    },
  )
  child.on('error', () => {})
  child.unref()
  return child
}

/** Waits for the server's own mark, then proves it with a login; the mark is written before the first login can work. */
async function ready(child: ChildProcess, { layout, startTimeoutMs, password }: Launch, port: number): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  const mark = path.join(layout.cluster, 'postmaster.pid')
  for (;;) {
    if (child.pid === undefined) throw new Error('the program could not be executed')
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.signalCode ?? `code ${child.exitCode}`}`)
    }
    const lines = await readFile(mark, 'utf8').then(
      (text) => text.split('\n'),
      () => [],
    )
    if (lines[0] === String(child.pid) && lines[7]?.trim() === 'ready') break
    if (performance.now() > deadline) throw new Error(`no answer within ${startTimeoutMs} ms`)
    await delay(10)
  }
  const client = new Client({ connectionString: urlOf(port, password), connectionTimeoutMillis: startTimeoutMs })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
  } finally {
    await client.end()
  }
}

const urlOf = (port: number, password: string): string => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`

async function stopServer(child: ChildProcess, graceMs: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.ref()
    child.kill(signal)
    const timer = new AbortController()
    await Promise.race([gone, delay(graceMs, undefined, { signal: timer.signal }).catch(() => {})])
    timer.abort()
  }
}

/**
 * Shuts the server down when this process dies without having stopped it, SIGKILL included: a small shell reads from a
 * pipe whose other end closes with us.
 */
function watchParent(server: ChildProcess, account: Account | undefined): Disposable {
  const watcher = spawn('/bin/sh', ['-c', 'read -r _ || kill -INT "$1"', 'sh', String(server.pid)], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...account,
  })
  watcher.on('error', () => {})
  watcher.stdin.on('error', () => {})
  watcher.unref()
  // A server that ended by itself has given its number back; another process may get it.
  server.once('exit', () => watcher.stdin.end('stopped\n'))
  // A program that forgets to stop the server can still end; the watcher then sees the pipe close.
  ;(watcher.stdin as Socket).unref()
  return {
    [Symbol.dispose]() {
      watcher.stdin.end('stopped\n')
    },
  }
}
