import { randomUUID } from 'node:crypto'

import Database from 'better-sqlite3'
import { type Dialect, Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely'
import pg from 'pg'

import { defineSoftDelete, type SoftDelete } from '../../src/config.ts'
import type { Tables } from './build.ts'
import { type Abilities, CONFIGURED, TABLES } from './generate.ts'
import { Random } from './random.ts'

/** A database with the tables, the views that show what the plugin should, and the same few rows each time. */
export interface FuzzDatabase extends AsyncDisposable {
  readonly name: 'sqlite' | 'postgres'
  readonly dialect: Dialect
  /** Without the plugin. */
  readonly plain: Kysely<Tables>
  readonly abilities: Abilities
}

export const TRASH: SoftDelete = defineSoftDelete({ tables: { events: true, sessions: true, rooms: true } })

const ROWS = 6

export async function openSqlite(): Promise<FuzzDatabase> {
  const database = new Database(':memory:')
  const dialect = new SqliteDialect({ database })
  const plain = new Kysely<Tables>({ dialect })
  await fill(plain, 'main')
  const abilities: Abilities = {
    lateral: false,
    fullJoinNeedsEquality: false,
    schema: 'main',
    cteMayReadNamesake: false,
    deleteUsing: false,
  }
  return { name: 'sqlite', dialect, plain, abilities, [Symbol.asyncDispose]: () => plain.destroy() }
}

export async function openPostgres(connectionString: string): Promise<FuzzDatabase> {
  const schema = `fuzz_${randomUUID().slice(0, 8)}`
  // Without statistics the planner takes the tables for large, and would compile each query to machine code.
  const pool = new pg.Pool({ connectionString, max: 1, options: `-c search_path=${schema} -c jit=off` })
  // A server that stops ends connections that are just being closed, and says so to them.
  pool.on('error', () => {})
  const dialect = new PostgresDialect({ pool })
  const plain = new Kysely<Tables>({ dialect })
  await sql`create schema ${sql.id(schema)}`.execute(plain)
  await fill(plain, schema)
  const abilities: Abilities = {
    lateral: true,
    fullJoinNeedsEquality: true,
    schema,
    cteMayReadNamesake: true,
    deleteUsing: true,
  }
  return {
    name: 'postgres',
    dialect,
    plain,
    abilities,
    async [Symbol.asyncDispose]() {
      await sql`drop schema ${sql.id(schema)} cascade`.execute(plain)
      await plain.destroy()
    },
  }
}

async function fill(db: Kysely<Tables>, schema: string): Promise<void> {
  const random = new Random(7)
  for (const table of [...TABLES, 'sink']) {
    const isConfigured = CONFIGURED.some((name) => name === table)
    const name = sql.id(schema, table)
    const marker = isConfigured ? sql`, deleted_at timestamp` : sql``
    await sql`create table ${name} (id integer, ref integer, rank integer${marker})`.execute(db)
    for (let id = 1; table !== 'sink' && id <= ROWS; id++) {
      const row = {
        id,
        ref: random.chance(15) ? null : 1 + random.below(ROWS),
        rank: random.chance(15) ? null : random.below(5),
        ...(isConfigured && { deleted_at: random.chance(40) ? '2026-01-01 00:00:00' : null }),
      }
      await db.insertInto(table).values(row).execute()
    }
    const view = (prefix: string) => sql.id(schema, `${prefix}_${table}`)
    const rows = sql`select id, ref, rank from ${name}`
    await sql`create view ${view('all')} as ${rows}`.execute(db)
    await sql`create view ${view('live')} as ${isConfigured ? sql`${rows} where deleted_at is null` : rows}`.execute(db)
    if (isConfigured) await sql`create view ${view('trashed')} as ${rows} where deleted_at is not null`.execute(db)
  }
}
