import { type DeleteQueryNode, type OperationNode, RawNode, WhereNode } from 'kysely'

import type { Reference } from '../placement/reference.ts'
import { conjoin, predicateOf } from '../placement/predicate.ts'

const TEXT = 'soft-deletable table: this DELETE needs softDeleteDialect()'

/**
 * Filters the target and ends the statement in words no database accepts: where the dialect that turns it into an
 * UPDATE is missing, the database refuses it instead of deleting rows.
 */
export function guardedDelete(node: DeleteQueryNode, target: Reference): DeleteQueryNode {
  const where = WhereNode.create(conjoin(node.where?.where, [predicateOf(target, 'live')])!)
  const guarded = { ...node, where }
  if (node.endModifiers?.some(isGuard) === true) return guarded
  return { ...guarded, endModifiers: [...(node.endModifiers ?? []), RawNode.createWithSql(TEXT)] }
}

/** Whether a modifier is the one that {@link guardedDelete} adds. */
export function isGuard(modifier: OperationNode): boolean {
  return modifier.kind === 'RawNode' && (modifier as RawNode).sqlFragments[0] === TEXT
}
