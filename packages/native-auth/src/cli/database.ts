import { Kysely, PostgresDialect, SqliteDialect } from 'kysely'

/** Opens a database by its Postgres address or SQLite file; the drivers are loaded on demand. */
export async function openDatabase(
  url: string,
  options: { readonly mustExist?: boolean } = {},
): Promise<Kysely<unknown>> {
  if (/^postgres(?:ql)?:/.test(url)) {
    const { default: pg } = await import('pg')
    const pool = new pg.Pool({ connectionString: url, max: 2 })
    // A connection that breaks while nothing runs on it is replaced; without a listener it would end the process.
    pool.on('error', () => undefined)
    return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  }
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(url.replace(/^(?:sqlite|file):(?:\/\/)?/, ''), {
    readonly: options.mustExist === true,
    fileMustExist: options.mustExist === true,
  })
  database.pragma('foreign_keys = ON')
  return new Kysely<unknown>({ dialect: new SqliteDialect({ database }) })
}
