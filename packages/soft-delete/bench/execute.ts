import type { Database } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'

import { defineSoftDelete, softDeletePlugin } from '../src/index.ts'
import { SHAPES } from './compile.ts'
import type { OpenPeers } from './scoreboard.ts'
import { COLUMNS, type Tables } from './tables.ts'
import { low } from './timing.ts'

/** A database that answers every query with no row at once: what is left is the work before it. */
const IDLE = { prepare: () => ({ reader: true, all: () => [] }), close: () => {} } as unknown as Database

const BATCH = 200

/** Microseconds to build a query, and to execute it on {@link IDLE}; for peers that cannot compile without executing. */
export async function executeTimes(
  openPeers: OpenPeers,
  rounds: number,
): Promise<Record<string, Record<string, number>>> {
  const trash = defineSoftDelete({ tables: { events: true, sessions: true, rooms: true, talks: true } })
  const dialect = new SqliteDialect({ database: IDLE })
  const variants: Record<string, Kysely<Tables>> = {
    'by hand': new Kysely<Tables>({ dialect }),
    '@org/soft-delete': new Kysely<Tables>({ dialect, plugins: [softDeletePlugin(trash)] }),
    ...(await openPeers(IDLE, COLUMNS)),
  }
  const table: Record<string, Record<string, number>> = {}
  for (const [shapeName, shape] of Object.entries(SHAPES)) {
    const times = new Map(Object.keys(variants).map((name) => [name, [] as number[]]))
    for (let round = -3; round < rounds; round++) {
      for (const [name, db] of Object.entries(variants)) {
        const start = process.cpuUsage()
        for (let turn = 0; turn < BATCH; turn++) await shape(db, name === 'by hand').execute()
        if (round >= 0) times.get(name)!.push(process.cpuUsage(start).user / BATCH)
      }
    }
    for (const [name, all] of times) table[name] = { ...table[name], [shapeName]: low(all) }
  }
  return table
}
