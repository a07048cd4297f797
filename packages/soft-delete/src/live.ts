import { type Expression, ExpressionWrapper, type SqlBool } from 'kysely'

import { isNull } from './placement/predicate.ts'

/**
 * The predicate of a live row, for raw SQL, which is never filtered.
 *
 * @param alias - Name of the table in that SQL: its alias, or `schema.table`.
 * @param column - The table's marker column, as the database knows it. @default 'deleted_at'
 * @example
 * sql`select count(*) from events as e where ${live('e')}`
 */
export function live(alias: string, column = 'deleted_at'): Expression<SqlBool> {
  const [name, schema] = alias.split('.').toReversed()
  return new ExpressionWrapper(isNull({ schema, name: name! }, column, 'live'))
}
