import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

import { ProbeError } from '../../errors.ts'
import type { Step } from './step.ts'

interface DatabaseInput {
  readonly path: string
  readonly user: string
  /** Name of the server, empty for the default one. */
  readonly server: string
  readonly tables: { readonly tokens: string; readonly servers: string; readonly spawners: string }
  /** How long a lock that another process holds is waited for, in milliseconds. */
  readonly lockMs: number
}

/** What a hub's database says about one server of one user. */
export interface ServerRecord {
  readonly userFound: boolean
  /** The spawner's row; rows of stopped servers stay for ever, with no server in them. */
  readonly spawner: { readonly id: number; readonly serverId: number | null } | undefined
  readonly server: { readonly port: number; readonly baseUrl: string } | undefined
  /** Notes of the user's tokens. The tokens themselves are stored as digests and are not read. */
  readonly tokenNotes: readonly string[]
  /** How long the file was open, in seconds. */
  readonly openSeconds: number
}

const sqliteMagic = 'SQLite format 3\0'

/**
 * Reads one server's rows, joined by user: never a count of rows, which belong to everybody.
 *
 * Read-only and short: a reader that stays makes the hub's own commits fail with "database is locked".
 */
export function readDatabase(input: DatabaseInput, step: Step): ServerRecord {
  step('open')
  checkFile(input.path)
  const sqlite = process.getBuiltinModule('node:sqlite')
  if (sqlite === undefined) throw new ProbeError('PROBE_CRASHED', 'Expected Node 22.13 or newer, it brings SQLite')
  const started = performance.now()
  let database: DatabaseSync | undefined
  try {
    database = new sqlite.DatabaseSync(input.path, { readOnly: true, timeout: input.lockMs })
    step('query')
    return { ...query(database, input), openSeconds: (performance.now() - started) / 1000 }
  } catch (error) {
    throw explain(error, input)
  } finally {
    database?.close()
  }
}

function checkFile(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false })
  const fail = (what: string) => new ProbeError('PROBE_DB_FILE', `Expected a SQLite database at \`${path}\`, ${what}`)
  if (stat === undefined) throw fail('there is nothing (and nothing was created)')
  if (!stat.isFile()) throw fail(stat.isDirectory() ? 'it is a folder' : 'it is no plain file')
  if (stat.size === 0) throw fail('the file is empty')
  const head = Buffer.alloc(sqliteMagic.length)
  const fd = openSync(path, 'r')
  try {
    readSync(fd, head, 0, head.length, 0)
  } finally {
    closeSync(fd)
  }
  if (head.toString('latin1') !== sqliteMagic) throw fail('the file is something else')
}

function query(database: DatabaseSync, input: DatabaseInput): Omit<ServerRecord, 'openSeconds'> {
  const { tokens, servers, spawners } = input.tables
  const found = new Set(
    database
      .prepare(`select name from sqlite_master where type in ('table', 'view')`)
      .all()
      .map((row) => row['name']),
  )
  for (const table of ['users', tokens, servers, spawners]) {
    if (!found.has(table)) {
      throw new ProbeError('PROBE_DB_SCHEMA', `Expected a table \`${table}\` in \`${input.path}\`, it has none`)
    }
  }
  // One statement is one snapshot. Table names were compared with the schema above; values are bound.
  const row = database
    .prepare(
      `select u.id as userId, p.id as spawnerId, p.server_id as serverId, s.port as port, s.base_url as baseUrl,
         (select json_group_array(t.note) from ${quote(tokens)} t where t.user_id = u.id) as notes
       from users u
       left join ${quote(spawners)} p on p.user_id = u.id and p.name = ?
       left join ${quote(servers)} s on s.id = p.server_id
       where u.name = ?`,
    )
    .get(input.server, input.user)
  if (row === undefined) return { userFound: false, spawner: undefined, server: undefined, tokenNotes: [] }
  const notes = JSON.parse(String(row['notes'])) as (string | null)[]
  return {
    userFound: true,
    spawner:
      row['spawnerId'] === null
        ? undefined
        : { id: Number(row['spawnerId']), serverId: row['serverId'] === null ? null : Number(row['serverId']) },
    server: row['port'] === null ? undefined : { port: Number(row['port']), baseUrl: String(row['baseUrl']) },
    tokenNotes: notes.filter((note) => note !== null),
  }
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** SQLite's primary result codes. https://sqlite.org/rescode.html */
const busy = 5
const corrupt = 11
const cannotOpen = 14
const notADatabase = 26

function explain(error: unknown, input: DatabaseInput): unknown {
  if (error instanceof ProbeError || (error as { code?: string }).code !== 'ERR_SQLITE_ERROR') return error
  const { errcode, message } = error as { errcode: number; message: string }
  const primary = errcode & 0xff
  if (primary === busy || primary === 6) {
    const waited = (input.lockMs / 1000).toFixed(1)
    return new ProbeError('PROBE_DB_LOCKED', `Another process held the lock of \`${input.path}\` for ${waited} s`)
  }
  if (primary === corrupt || primary === notADatabase) {
    return new ProbeError('PROBE_DB_FILE', `\`${input.path}\` is damaged: ${message}`)
  }
  if (primary === cannotOpen || primary === 8) {
    return new ProbeError(
      'PROBE_DB_FILE',
      `\`${input.path}\` cannot be opened (${message}); in WAL mode a reader needs its \`-wal\` and \`-shm\` files, ` +
        'or the right to make them',
    )
  }
  if (/no such column/.test(message)) {
    return new ProbeError('PROBE_DB_SCHEMA', `\`${input.path}\` is not the database of a hub: ${message}`)
  }
  return new ProbeError('PROBE_DB_FILE', `\`${input.path}\` cannot be read: ${message}`)
}
