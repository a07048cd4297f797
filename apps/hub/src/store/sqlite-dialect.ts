import { setTimeout as delay } from 'node:timers/promises'

import type BetterSqlite from 'better-sqlite3'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'

import type { ChangeMark } from './recall.ts'

/** How long a statement waits for another process's lock before the request is answered with 503, in milliseconds. */
const LOCK_WAIT_MS = 1000

/**
 * Kysely on better-sqlite3, with waits that do not stop the process.
 *
 * SQLite's own busy timeout sleeps inside the call: while another program holds the lock no request would be answered,
 * not even one that needs no database. Here a refused statement is tried again from a timer. Once a full wait was in
 * vain, those of the same kind try once only: the tenth write to a locked database fails as soon as the first, however
 * many readings succeed in between.
 */
export function sqliteDialect(database: BetterSqlite.Database): {
  readonly dialect: Dialect
  readonly mark: ChangeMark
} {
  const connection = new SqliteConnection(database)
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(database, connection),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
  return { dialect, mark: () => connection.mark() }
}

class SqliteDriver implements Driver {
  readonly #database: BetterSqlite.Database
  readonly #connection: SqliteConnection
  #tail: Promise<void> = Promise.resolve()
  #release: (() => void) | undefined

  constructor(database: BetterSqlite.Database, connection: SqliteConnection) {
    this.#database = database
    this.#connection = connection
  }

  init(): Promise<void> {
    return Promise.resolve()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#tail
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#tail = promise
    await before
    this.#release = resolve
    return this.#connection
  }

  async beginTransaction(): Promise<void> {
    // Immediate: a transaction that starts by reading could not be retried once it fails to become a writer.
    await this.#connection.run('begin immediate')
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.run('commit')
  }

  async rollbackTransaction(): Promise<void> {
    if (this.#database.inTransaction) await this.#connection.run('rollback')
  }

  releaseConnection(): Promise<void> {
    this.#release?.()
    return Promise.resolve()
  }

  destroy(): Promise<void> {
    this.#database.close()
    return Promise.resolve()
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: BetterSqlite.Database
  readonly #prepared = new Map<string, BetterSqlite.Statement>()
  readonly #patience = { reading: LOCK_WAIT_MS, writing: LOCK_WAIT_MS }
  #writes = 0
  #version: BetterSqlite.Statement | undefined

  constructor(database: BetterSqlite.Database) {
    this.#database = database
  }

  /**
   * SQLite counts the commits of other connections, here statements that write are counted.
   *
   * @see https://www.sqlite.org/pragma.html#pragma_data_version
   */
  mark(): string | undefined {
    try {
      this.#version ??= this.#database.prepare('pragma data_version').pluck()
      return `${String(this.#version.get())} ${this.#writes}`
    } catch {
      // Locked or broken: the reading that follows finds out, and says so.
      return undefined
    }
  }

  async run(text: string): Promise<void> {
    this.#writes += 1
    await this.#patiently(text, (statement) => statement.run())
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const values = query.parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value))
    return this.#patiently(query.sql, (statement) => {
      if (!statement.readonly) this.#writes += 1
      if (statement.reader) return { rows: statement.all(values) as Row[] }
      const { changes, lastInsertRowid } = statement.run(values)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    })
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query)
  }

  #prepare(text: string): BetterSqlite.Statement {
    const known = this.#prepared.get(text)
    if (known !== undefined) return known
    const statement = this.#database.prepare(text)
    // Lists of values make many texts; the oldest go first.
    if (this.#prepared.size >= 200) this.#prepared.delete(this.#prepared.keys().next().value as string)
    this.#prepared.set(text, statement)
    return statement
  }

  async #patiently<Result>(text: string, use: (statement: BetterSqlite.Statement) => Result): Promise<Result> {
    const begun = performance.now()
    // Preparing reads the schema.
    let kind: 'reading' | 'writing' = 'reading'
    for (;;) {
      try {
        const statement = this.#prepare(text)
        kind = statement.readonly ? 'reading' : 'writing'
        const result = use(statement)
        this.#patience[kind] = LOCK_WAIT_MS
        return result
      } catch (error) {
        if (!isBusy(error)) throw error
        if (performance.now() - begun >= this.#patience[kind]) {
          this.#patience[kind] = 0
          throw error
        }
      }
      await delay(20)
    }
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY')
}
