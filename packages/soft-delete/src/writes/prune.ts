import { type Expression, type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'

import type { SoftDelete, SoftDeleteTable } from '../config.ts'
import { encodeMoment } from '../moment.ts'
import { permanently, withTrashed } from '../scopes.ts'
import { type AnyDb, type AnyEb, chunksOf, isMysql, isSqlite, locksRows, nameOf } from './rows.ts'

/** Options of {@link prune}. */
export interface PruneOptions {
  /** Rows removed per transaction; keeps locks short. @default 1000 */
  readonly batchSize?: number
  /** Stops between two batches; what is removed by then stays removed. */
  readonly signal?: AbortSignal
}

const DAY_SECONDS = 86_400

/**
 * Removes for good what has been trashed for longer than its table's `retentionDays`, children before parents.
 *
 * Safe to stop, to repeat and to run twice at once: each batch is one transaction, rows that another transaction has
 * locked are left for the next run. A row stays while its `hold` column is true, and while any child by a declared
 * relation is left, live or trashed. Not atomic as a whole. Must not run inside a transaction of the caller, which
 * would hold all its locks until the end.
 *
 * @returns Rows removed per table; tables without any are left out.
 * @throws The signal's reason when it is aborted.
 * @example
 * await prune(db, trash) // { sessions: 120, events: 4 }
 */
export async function prune<DB, Tables extends string>(
  db: Kysely<DB>,
  config: SoftDelete<Tables>,
  options: PruneOptions = {},
): Promise<Readonly<Record<string, number>>> {
  const { batchSize = 1000, signal } = options
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`Expected \`batchSize\` to be a whole number of at least 1, got \`${batchSize}\``)
  }
  const removed: Record<string, number> = {}
  const tables = childrenFirst([...config.tables.values()])
  // A tree in one table loses its leaves first, and removing them may free rows of tables done before.
  for (let isDone = false; !isDone;) {
    isDone = true
    for (const table of tables.filter(({ retentionDays }) => retentionDays !== undefined)) {
      for (;;) {
        signal?.throwIfAborted()
        const count = await (db as unknown as AnyDb)
          .transaction()
          .execute((trx) => pruneBatch(trx, config, table, batchSize))
        if (count === 0) break
        removed[nameOf(table)] = (removed[nameOf(table)] ?? 0) + count
        isDone = false
      }
    }
  }
  return removed
}

function childrenFirst(tables: readonly SoftDeleteTable[]): SoftDeleteTable[] {
  const ordered = new Set<SoftDeleteTable>()
  const seen = new Set<SoftDeleteTable>()
  const visit = (table: SoftDeleteTable): void => {
    if (seen.has(table)) return
    seen.add(table)
    for (const { child } of table.children) visit(child)
    ordered.add(table)
  }
  tables.forEach(visit)
  return [...ordered]
}

/**
 * Locks the rows first and deletes them in a second statement: a child inserted between the two would be missed by one
 * statement's snapshot, and an ON DELETE CASCADE would take it along.
 */
async function pruneBatch(trx: AnyDb, config: SoftDelete, table: SoftDeleteTable, limit: number): Promise<number> {
  const { name, column, key, hold } = table
  const due = withTrashed(trx.selectFrom(nameOf(table)))
    .select(`${name}.${key} as key`)
    .where(`${name}.${column}`, '<', cutoff(trx, config, table.retentionDays!))
    .where(hasNoChildren(table))
    .$if(hold !== undefined, (query) => query.where(sql<SqlBool>`${sql.ref(`${name}.${hold}`)} is not true`))
    .orderBy(`${name}.${column}`)
    .orderBy(`${name}.${key}`)
    .limit(limit)
  const rows = await (locksRows(trx) ? due.forUpdate().skipLocked() : due).execute()
  let count = 0
  for (const keys of chunksOf(rows.map((row) => row['key']))) {
    const result = await permanently(trx.deleteFrom(nameOf(table)))
      .where(`${name}.${key}`, 'in', keys)
      .where(`${name}.${column}`, 'is not', null)
      .where(hasNoChildren(table))
      .executeTakeFirst()
    count += Number(result.numDeletedRows)
  }
  return count
}

function hasNoChildren(table: SoftDeleteTable): (eb: AnyEb) => Expression<SqlBool> {
  return (eb) =>
    eb.and(
      table.children.map(({ child, column }) =>
        eb.not(
          eb.exists(
            withTrashed(eb.selectFrom(`${nameOf(child)} as children`))
              .select('children.' + child.key)
              .whereRef(`children.${column}`, '=', `${table.name}.${table.key}`)
              // A row that is its own parent takes that reference along.
              .$if(child === table, (query) =>
                query.whereRef(`children.${child.key}`, '<>', `${table.name}.${table.key}`),
              ),
          ),
        ),
      ),
    )
}

/** The moment before which a row is due, by the clock that wrote the column. */
function cutoff(db: AnyDb, { now }: SoftDelete, retentionDays: number): RawBuilder<unknown> {
  const seconds = retentionDays * DAY_SECONDS
  if (now !== undefined) {
    const moment = now()
    const before = Number(moment) - seconds * 1000
    return sql`${encodeMoment(isSqlite(db), typeof moment === 'number' ? before : new Date(before))}`
  }
  if (isSqlite(db)) return sql`datetime('now', ${`-${seconds} seconds`})`
  if (isMysql(db)) return sql`current_timestamp - interval ${seconds} second`
  return sql`current_timestamp - make_interval(secs => ${seconds})`
}
