import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

import type { Engine } from '../engine/engine.ts'
import { ContainerPgError } from '../errors.ts'
import { readJson, writeDurably } from '../internal/files.ts'

/** What lies beside a dump as `FILE.json`. */
export interface DumpManifest {
  readonly database: string
  /** Size of the dump, in bytes. */
  readonly bytes: number
  readonly sha256: string
  /** Name of the server it was taken from. */
  readonly server: string
  /** RFC 3339. */
  readonly createdAt: string
  /** It was restored into an empty database without an error, which was then dropped. */
  readonly verified: true
}

/** A server whose programs can be run. */
export interface Source {
  readonly engine: Engine
  /** Id of its container. */
  readonly id: string
  readonly name: string
  readonly user: string
}

const manifestOf = (file: string): string => `${file}.json`

/**
 * Writes one database to a file in `pg_dump`'s own format and proves it by restoring it into a database of its own.
 *
 * @param file - Must not exist. Appears, with its manifest, once it is proven.
 * @throws {@link ContainerPgError} `INVALID_INPUT` when the file exists, `DUMP_FAILED`, `DISK_FULL`.
 */
export async function dump(source: Source, database: string, file: string, createdAt: string): Promise<DumpManifest> {
  const target = path.resolve(file)
  for (const existing of [target, manifestOf(target)]) {
    if (await exists(existing))
      throw new ContainerPgError('INVALID_INPUT', `Expected a new file for the dump, ${existing} exists`)
  }
  const draft = `${target}.${randomUUID()}.partial`
  try {
    const facts = await writeDump(source, database, draft)
    await prove(source, draft)
    const manifest: DumpManifest = { database, ...facts, server: source.name, createdAt, verified: true }
    await rename(draft, target)
    await writeDurably(manifestOf(target), `${JSON.stringify(manifest, undefined, 2)}\n`)
    return manifest
  } catch (error) {
    await rm(draft, { force: true })
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    throw new ContainerPgError('DISK_FULL', `No space left for ${target}`, {
      remedy: 'Free some space there.',
      cause: error,
    })
  }
}

async function writeDump(source: Source, database: string, file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  await using handle = await open(file, 'wx', 0o600)
  const output = async (chunk: Buffer) => {
    hash.update(chunk)
    bytes += chunk.length
    await handle.appendFile(chunk)
  }
  const command = ['pg_dump', '-U', source.user, '--no-password', '--format=custom', `--dbname=${connection(database)}`]
  const result = await source.engine.exec(source.id, command, { output })
  if (result.exitCode !== 0)
    throw failed('DUMP_FAILED', `The dump of ${database} on ${source.name} failed`, result.errors)
  await handle.sync()
  return { bytes, sha256: hash.digest('hex') }
}

async function prove(source: Source, file: string): Promise<void> {
  const scratch = `container_pg_verify_${randomUUID()}`
  try {
    await load(source, scratch, file)
  } catch (error) {
    throw failed(
      'DUMP_FAILED',
      'The dump could not be restored, so it was thrown away',
      (error as Error).message,
      error,
    )
  } finally {
    await dropDatabase(source, scratch)
  }
}

/**
 * Restores a dump into a database that does not exist yet. Everything in it belongs to the administrator.
 *
 * @throws {@link ContainerPgError} `DUMP_DAMAGED` when the file is not what its manifest says, `DATABASE_EXISTS`,
 * `RESTORE_FAILED`; the database is then gone again.
 */
export async function restore(source: Source, database: string, file: string): Promise<DumpManifest> {
  const target = path.resolve(file)
  const manifest = await readJson<DumpManifest>(manifestOf(target))
  if (manifest === undefined || (await sha256(target)) !== manifest.sha256) {
    const why = manifest === undefined ? 'has no manifest beside it' : 'is not what its manifest says'
    throw new ContainerPgError('DUMP_DAMAGED', `The dump ${target} ${why}`, {
      remedy: 'Take another dump, or an older one.',
    })
  }
  await load(source, database, target)
  return manifest
}

async function load(source: Source, database: string, file: string): Promise<void> {
  const created = await source.engine.exec(
    source.id,
    ['createdb', '-U', source.user, '--no-password', '--template=template0', '--', database],
    {},
  )
  if (created.exitCode !== 0) {
    const code = /already exists/.test(created.errors) ? 'DATABASE_EXISTS' : 'RESTORE_FAILED'
    throw failed(code, `Could not make the database ${database}`, created.errors)
  }
  const command = ['pg_restore', '-U', source.user, '--no-password', '--exit-on-error', '--no-owner', '--no-privileges']
  const input = createReadStream(file)
  const result = await source.engine.exec(source.id, [...command, `--dbname=${connection(database)}`], { input })
  if (result.exitCode === 0) return
  await dropDatabase(source, database)
  throw failed('RESTORE_FAILED', `The restore into ${database} on ${source.name} failed`, result.errors)
}

async function dropDatabase(source: Source, database: string): Promise<void> {
  const command = ['dropdb', '-U', source.user, '--no-password', '--if-exists', '--force', '--', database]
  await source.engine.exec(source.id, command, {})
}

/** A database's name as a connection string, since the programs take a name with `=` in it for one. */
function connection(database: string): string {
  return `dbname='${database.replace(/['\\]/g, String.raw`\$&`)}'`
}

function failed(
  code: 'DUMP_FAILED' | 'RESTORE_FAILED' | 'DATABASE_EXISTS',
  what: string,
  errors: string,
  cause?: unknown,
): ContainerPgError {
  const logTail = errors.trimEnd().split('\n').slice(-10)
  return new ContainerPgError(code, `${what}: ${logTail[0] ?? 'no message'}`, { logTail, cause })
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}
