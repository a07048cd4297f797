import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, open, rm } from 'node:fs/promises'
import path from 'node:path'

import { escapeIdentifier, escapeLiteral } from 'pg'

import type { Engine, ExecResult } from '../engine/engine.ts'
import { ContainerPgError } from '../errors.ts'
import { readJson, renameDurably, writeDurably } from '../internal/files.ts'
import { tryLock } from '../internal/kernel-lock.ts'

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

/** Where dumps are proven and restores made: a name that nobody else gives, and always the same, so that leftovers are found. */
const SCRATCH = 'container_pg_scratch_5d1f0c9a7be2'

/** By which our programs are known inside the container. */
const APPLICATION = 'container_pg_backup'

/**
 * Ends the programs of a dump or restore that was broken off. The engine lets them wait for their reader for ever, and a
 * waiting `pg_dump` keeps every table from being changed. The words are constant.
 */
const END_PROGRAMS = [
  'for process in /proc/[0-9]*; do',
  String.raw`case "$(tr '\0' ' ' 2>/dev/null <"$process/cmdline")" in`,
  `pg_dump*${APPLICATION}*|pg_restore*${APPLICATION}*) kill "\${process#/proc/}";;`,
  'esac; done',
].join('\n')

/**
 * Runs a program and reads what it has left of its input: a connection that breaks while it is written to takes along what the
 * program said.
 */
const READ_TO_THE_END = ['sh', '-c', '"$@"; code=$?; cat >/dev/null; exit "$code"', 'sh']

/**
 * Writes one database to a file in `pg_dump`'s own format and proves it by restoring it into a database of its own.
 *
 * One dump or restore at a time on a server: the caller holds a lock.
 *
 * @param file - Must not exist. Appears last, when its manifest lies there and it is proven.
 * @throws {@link ContainerPgError} `INVALID_INPUT` when the file exists or cannot be written, `DUMP_FAILED`, `DISK_FULL`, `BUSY`.
 */
export async function dump(source: Source, database: string, file: string, createdAt: string): Promise<DumpManifest> {
  const target = path.resolve(file)
  await using turn = await tryLock(`dump ${target}`)
  if (turn === undefined) throw new ContainerPgError('BUSY', `Another dump is written to ${target}`)
  if (await exists(target)) {
    throw new ContainerPgError('INVALID_INPUT', `Expected a new file for the dump, ${target} exists`)
  }
  const draft = `${target}.partial`
  try {
    await clearAway(source)
    const facts = await writeDump(source, database, draft)
    await prove(source, draft)
    const manifest: DumpManifest = { database, ...facts, server: source.name, createdAt, verified: true }
    await writeDurably(manifestOf(target), `${JSON.stringify(manifest, undefined, 2)}\n`)
    await renameDurably(draft, target)
    return manifest
  } catch (error) {
    await rm(draft, { force: true })
    await clearAway(source).catch(() => {})
    throw fromTarget(target, error)
  }
}

async function writeDump(source: Source, database: string, file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  await rm(file, { force: true })
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
  try {
    await load(source, file)
  } catch (error) {
    const { message } = error as Error
    throw failed('DUMP_FAILED', 'The dump could not be restored, so it was thrown away', message, error)
  }
  await dropScratch(source)
}

/**
 * Restores a dump into a database that does not exist yet; it gets its name when it is whole. Everything in it belongs to the
 * administrator. One dump or restore at a time on a server: the caller holds a lock.
 *
 * @throws {@link ContainerPgError} `DUMP_DAMAGED` when the file is not what its manifest says, `DATABASE_EXISTS`,
 * `RESTORE_FAILED`.
 */
export async function restore(source: Source, database: string, file: string): Promise<DumpManifest> {
  const target = path.resolve(file)
  const manifest = await expectWhole(target)
  await expectNoDatabase(source, database)
  try {
    await clearAway(source)
    await load(source, target)
    const rename = `ALTER DATABASE ${SCRATCH} RENAME TO ${escapeIdentifier(database)}`
    const renamed = await psql(source, rename)
    if (renamed.exitCode === 0) return manifest
    await expectNoDatabase(source, database)
    throw failed('RESTORE_FAILED', `Could not name the database ${database}`, renamed.errors)
  } catch (error) {
    await clearAway(source).catch(() => {})
    if (error instanceof ContainerPgError) throw error
    throw failed('RESTORE_FAILED', `Could not read ${target}`, (error as Error).message, error)
  }
}

async function expectWhole(target: string): Promise<DumpManifest> {
  let why = 'is not what its manifest says'
  let cause: unknown
  try {
    const manifest = await readJson<DumpManifest>(manifestOf(target))
    if (manifest === undefined) why = 'has no manifest beside it'
    else if ((await sha256(target)) === manifest.sha256) return manifest
  } catch (error) {
    why = 'cannot be read'
    cause = error
  }
  throw new ContainerPgError('DUMP_DAMAGED', `The dump ${target} ${why}`, {
    remedy: 'Take another dump, or an older one.',
    cause,
  })
}

async function expectNoDatabase(source: Source, database: string): Promise<void> {
  const { text } = await psql(source, `SELECT 1 FROM pg_database WHERE datname = ${escapeLiteral(database)}`)
  if (text === '') return
  throw new ContainerPgError('DATABASE_EXISTS', `The database ${database} on ${source.name} exists already`, {
    remedy: 'Restore into a database that does not exist.',
  })
}

/** Restores a file into the scratch database. */
async function load(source: Source, file: string): Promise<void> {
  const { engine, id, user } = source
  const create = ['createdb', '-U', user, '--no-password', '--template=template0', SCRATCH]
  const created = await engine.exec(id, create, {})
  if (created.exitCode !== 0) throw failed('RESTORE_FAILED', 'Could not make a database', created.errors)
  const command = ['pg_restore', '-U', user, '--no-password', '--exit-on-error', '--no-owner', '--no-privileges']
  const input = createReadStream(file)
  try {
    const words = [...READ_TO_THE_END, ...command, `--dbname=${connection(SCRATCH)}`]
    const result = await engine.exec(id, words, { input })
    if (result.exitCode !== 0) throw failed('RESTORE_FAILED', `The restore on ${source.name} failed`, result.errors)
  } finally {
    input.destroy()
  }
}

/** Removes what a dump or restore that was killed, or has failed, left inside the container. */
async function clearAway(source: Source): Promise<void> {
  await source.engine.exec(source.id, ['sh', '-c', END_PROGRAMS], {})
  await dropScratch(source)
}

async function dropScratch({ engine, id, user }: Source): Promise<void> {
  await engine.exec(id, ['dropdb', '-U', user, '--no-password', '--if-exists', '--force', SCRATCH], {})
}

async function psql({ engine, id, user }: Source, statement: string): Promise<ExecResult & { text: string }> {
  const pieces: Buffer[] = []
  const output = (chunk: Buffer) => Promise.resolve(void pieces.push(chunk))
  const result = await engine.exec(id, ['psql', '-U', user, '-d', 'postgres', '-wXqAtc', statement], { output })
  return { ...result, text: Buffer.concat(pieces).toString().trim() }
}

/** A database's name as a connection string, since the programs take a name with `=` in it for one. */
function connection(database: string): string {
  return `application_name=${APPLICATION} dbname='${database.replace(/['\\]/g, String.raw`\$&`)}'`
}

function failed(
  code: 'DUMP_FAILED' | 'RESTORE_FAILED',
  what: string,
  errors: string,
  cause?: unknown,
): ContainerPgError {
  const logTail = errors.trimEnd().split('\n').slice(-10)
  return new ContainerPgError(code, `${what}: ${logTail[0] || 'no message'}`, { logTail, cause })
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

/** Says what it means that the dump's file could not be written; hands back what is none of that. */
function fromTarget(target: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (syscall === undefined) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const remedy = 'Free some space there.'
    return new ContainerPgError('DISK_FULL', `No space left for ${target}`, { remedy, cause: error })
  }
  const remedy = 'Name a file in a folder that exists and is yours to write to.'
  return new ContainerPgError('INVALID_INPUT', `Could not write ${target} (${code})`, { remedy, cause: error })
}
