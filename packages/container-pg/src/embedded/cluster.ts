import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { constants, existsSync } from 'node:fs'
import { chmod, mkdir, open, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { ContainerPgError } from '../errors.ts'
import { scramVerifier } from '../postgres/scram.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'

/** The names inside a data folder. */
export interface Layout {
  /** Postgres' own folder; there only once it is complete. */
  readonly cluster: string
  /** The same while it is being made; whatever a killed process left there is thrown away. */
  readonly draft: string
  readonly secret: string
  readonly log: string
}

/** Names the parts of a data folder. */
export function layoutOf(dataDir: string): Layout {
  return {
    cluster: path.join(dataDir, 'cluster'),
    draft: path.join(dataDir, 'cluster.new'),
    secret: path.join(dataDir, 'secret.json'),
    log: path.join(dataDir, 'server.log'),
  }
}

/** Reads which major version made a cluster, `undefined` when there is none. */
export async function clusterMajor(cluster: string): Promise<number | undefined> {
  return existsSync(cluster) ? Number(await readFile(path.join(cluster, 'PG_VERSION'), 'utf8')) : undefined
}

/** How a program of ours gets at a folder that its user may not be allowed to reach by name. */
export interface OpenFolder extends AsyncDisposable {
  /** Descriptors for `stdio`, from number 3 on. */
  readonly descriptors: readonly number[]
  /** The folder's name for the child. */
  readonly name: string
}

/**
 * Opens a folder for a child process.
 *
 * A child that runs as another user gets an open descriptor and a name under `/proc/self/fd`: the kernel goes there without
 * asking for the folders above, such as a home with mode 0700. The server's children inherit the descriptor.
 */
export async function openFolder(folder: string, account: Account | undefined): Promise<OpenFolder> {
  if (account === undefined || process.platform !== 'linux') {
    return { descriptors: [], name: folder, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  return { descriptors: [handle.fd], name: '/proc/self/fd/3', [Symbol.asyncDispose]: () => handle.close() }
}

/** Reads the administrator's password of a cluster. */
export async function readSecret(layout: Layout): Promise<string> {
  const { password } = JSON.parse(await readFile(layout.secret, 'utf8')) as { password: string }
  return password
}

/**
 * Makes a new cluster beside its final place and moves it there in one step, so that a kill leaves all or nothing.
 *
 * @throws {@link ContainerPgError} `EMBEDDED_INIT_FAILED` with the last lines that initdb wrote.
 */
export async function createCluster(
  layout: Layout,
  binaries: Binaries,
  account: Account | undefined,
  durable: boolean,
): Promise<void> {
  await rm(layout.draft, { recursive: true, force: true })
  await mkdir(layout.draft, { mode: 0o700 })
  const password = randomBytes(24).toString('base64url')
  await writeFile(layout.secret, JSON.stringify({ password }), { mode: 0o600 })
  await chmod(layout.secret, 0o600)

  await using folder = await openFolder(layout.draft, account)
  const verifierFile = `${layout.draft}.password`
  await rm(verifierFile, { force: true })
  await using verifier = await open(verifierFile, 'wx+', 0o600)
  await verifier.write(`${await scramVerifier(password)}\n`)
  if (account !== undefined) {
    await verifier.chown(account.uid, account.gid)
    await chownFolder(layout.draft, account)
  }
  const byNumber = folder.descriptors.length > 0
  if (byNumber) await unlink(verifierFile)
  await using log = await open(layout.log, 'w', 0o600)

  const child = spawn(
    path.join(binaries.binDir, 'initdb'),
    [
      ['-D', folder.name, '-U', 'postgres', '--encoding=UTF8', '--lc-messages=C', '--auth=scram-sha-256'],
      process.platform === 'linux' ? ['--locale=C.UTF-8'] : ['--locale=C', '--lc-ctype=UTF-8'],
      [`--pwfile=${byNumber ? `/proc/self/fd/${3 + folder.descriptors.length}` : verifierFile}`],
      durable ? [] : ['--no-sync'],
    ].flat(),
    {
      cwd: '/',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      stdio: ['ignore', log.fd, log.fd, ...folder.descriptors, ...(byNumber ? [verifier.fd] : [])],
      ...account,
    },
  )
  const [code] = (await once(child, 'exit')) as [number | null]
  await rm(verifierFile, { force: true })
  if (code !== 0) {
    const logTail = await tailOf(layout.log)
    await rm(layout.draft, { recursive: true, force: true })
    throw new ContainerPgError(
      'EMBEDDED_INIT_FAILED',
      `initdb ended with ${code === null ? 'a signal' : `code ${code}`}: ${logTail.at(-1) ?? 'it wrote nothing'}`,
      {
        remedy: 'See `logTail`; a full disk and missing shared libraries are the usual causes.',
        logTail,
      },
    )
  }
  await rename(layout.draft, layout.cluster)
}

async function chownFolder(folder: string, { uid, gid }: Account): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  await handle.chown(uid, gid)
  await handle.close()
}

/** The last lines of a log file. */
export async function tailOf(file: string, lines = 10): Promise<string[]> {
  const size = (await stat(file)).size
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read({ position: Math.max(0, size - 8192), buffer: Buffer.alloc(8192) })
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines)
  } finally {
    await handle.close()
  }
}
