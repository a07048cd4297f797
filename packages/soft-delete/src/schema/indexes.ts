import { sql } from 'kysely'

import { type AnyDb, isMysql, isSqlite } from '../writes/rows.ts'

/** An index as the database has it. */
export interface TableIndex {
  readonly name: string
  readonly isUnique: boolean
  readonly isPrimary: boolean
  /** Columns in order; expressions are left out, and columns that a covering index carries along. */
  readonly columns: readonly string[]
  readonly hasExpressions: boolean
  /** The condition of a partial index, as the database writes it. */
  readonly predicate: string | undefined
  readonly nullsAreDistinct: boolean
}

interface Row {
  readonly name: string
  readonly is_unique: boolean | number
  readonly is_primary: boolean | number
  /** As a JSON array. */
  readonly columns: string
  readonly predicate: string | null
  readonly nulls_distinct: boolean | number
}

/** Reads the indexes of a table from the catalogue of the database. */
export async function readIndexes(db: AnyDb, table: string, schema: string | undefined): Promise<TableIndex[]> {
  const query = isSqlite(db)
    ? sqliteIndexes(table)
    : isMysql(db)
      ? mysqlIndexes(table, schema)
      : postgresIndexes(table, schema)
  const { rows } = await query.execute(db)
  return rows.map((row) => {
    const columns = JSON.parse(row.columns) as (string | null)[]
    return {
      name: row.name,
      isUnique: Boolean(row.is_unique),
      isPrimary: Boolean(row.is_primary),
      columns: columns.filter((name) => name !== null),
      hasExpressions: columns.includes(null),
      predicate: row.predicate ?? undefined,
      nullsAreDistinct: Boolean(row.nulls_distinct),
    }
  })
}

/** `indnullsnotdistinct` exists since PostgreSQL 15, hence by way of JSON. */
function postgresIndexes(table: string, schema: string | undefined) {
  return sql<Row>`
    select index.relname as name, i.indisunique as is_unique, i.indisprimary as is_primary,
      pg_get_expr(i.indpred, i.indrelid) as predicate,
      coalesce(not (to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, true) as nulls_distinct,
      (select json_agg(a.attname order by k.position)::text
        from unnest(i.indkey::int2[]) with ordinality as k (attribute, position)
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attribute
        where k.position <= i.indnkeyatts) as columns
    from pg_index i
    join pg_class index on index.oid = i.indexrelid
    join pg_class owner on owner.oid = i.indrelid
    join pg_namespace n on n.oid = owner.relnamespace
    where owner.relname = ${table} and n.nspname = coalesce(${schema ?? null}::text, current_schema())`
}

function sqliteIndexes(table: string) {
  return sql<Row>`
    select l.name, l."unique" as is_unique, l.origin = 'pk' as is_primary, 1 as nulls_distinct,
      case when l.partial then substr(m.sql, instr(lower(m.sql), ' where ') + 7) end as predicate,
      (select json_group_array(c.name) from pragma_index_info(l.name) as c) as columns
    from pragma_index_list(${table}) as l
    left join sqlite_master as m on m.type = 'index' and m.name = l.name`
}

function mysqlIndexes(table: string, schema: string | undefined) {
  return sql<Row>`
    select index_name as name, not max(non_unique) as is_unique, index_name = 'PRIMARY' as is_primary, true as nulls_distinct,
      null as predicate,
      concat('[', group_concat(json_quote(column_name) order by seq_in_index), ']') as \`columns\`
    from information_schema.statistics
    where table_name = ${table} and table_schema = coalesce(${schema ?? null}, database())
    group by index_name`
}
