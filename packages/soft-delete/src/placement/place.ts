import type { JoinNode, JoinType } from 'kysely'

/** Where the predicate of a reference goes: a WHERE, the ON of one of the joins, or a derived table in its stead. */
export type Place = 'where' | 'derived' | number

const NULLS_RIGHT: ReadonlySet<JoinType> = new Set(['LeftJoin', 'LateralLeftJoin', 'FullJoin', 'OuterApply'])
const NULLS_LEFT: ReadonlySet<JoinType> = new Set(['RightJoin', 'FullJoin'])

/**
 * Places the predicate of an item of FROM.
 *
 * WHERE where no join can null-extend the item: every row that leaves the joins then carries a row of it, so filtering
 * afterwards equals filtering before. Else the ON of the first join that does, if that is a RIGHT JOIN, which drops its
 * unmatched left rows anyway. A FULL JOIN keeps them, so there the rows have to be gone before.
 *
 * @param isLast - Whether the joins follow this item. Others stand beside the joins in PostgreSQL but inside the first
 * of them in SQLite, where the comma binds no weaker; a derived table is right in both.
 */
export function placeOfItem(joins: readonly JoinNode[], isLast: boolean): Place {
  const at = joins.findIndex(({ joinType }) => NULLS_LEFT.has(joinType))
  if (at === -1) return 'where'
  return isLast && joins[at]!.joinType === 'RightJoin' ? at : 'derived'
}

/** Places the predicate of the table that the join at `index` brings in, by the same rule. */
export function placeOfJoined(joins: readonly JoinNode[], index: number): Place {
  const { joinType, on } = joins[index]!
  if (joinType === 'LeftJoin' || joinType === 'LateralLeftJoin') return index
  if (NULLS_RIGHT.has(joinType)) return 'derived'
  const at = joins.findIndex((join, later) => later > index && NULLS_LEFT.has(join.joinType))
  if (at === -1) return 'where'
  if (joins[at]!.joinType === 'RightJoin') return at
  return joinType === 'InnerJoin' && on !== undefined ? index : 'derived'
}
