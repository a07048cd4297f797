import {
  type BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  type InsertQueryNode,
  type OnConflictNode,
  ReferenceNode,
  ValueNode,
  WhereNode,
} from 'kysely'

import type { SoftDeleteTable } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import type { Scope } from '../scopes.ts'
import { conjoin, predicateOf } from './predicate.ts'
import type { Reference } from './reference.ts'

/**
 * Decides what the conflict clause of an insert does when it meets a trashed row; left alone it would write a row that
 * stays invisible, or drop the new one without a word.
 *
 * @throws {@link SoftDeleteError} `SOFT_DELETE_UPSERT_UNDECIDED`, `SOFT_DELETE_UNSUPPORTED`.
 */
export function settleConflict(node: InsertQueryNode, target: Reference, scope: Scope): InsertQueryNode {
  if (scope.visibility(target) === 'with') return node
  if (node.onDuplicateKey !== undefined) return settleDuplicateKey(node, target.table)
  const { onConflict } = node
  if (onConflict === undefined || onConflict.indexWhere !== undefined) return node
  if (!canMeetTrashed(onConflict, target.table)) {
    return { ...node, onConflict: { ...onConflict, indexWhere: WhereNode.create(unqualified(target)) } }
  }
  switch (target.table.onConflict) {
    case 'fail':
      throw undecided(target.table)
    case 'ignore':
      return onConflict.doNothing === true ? node : { ...node, onConflict: limited(onConflict, target, 'live') }
    case 'revive':
      return { ...node, onConflict: reviving(onConflict, target) }
  }
}

/** The arbiter may be an index that holds trashed rows too: the primary key, a named constraint, any, or a full index. */
function canMeetTrashed({ columns, indexExpression }: OnConflictNode, table: SoftDeleteTable): boolean {
  if (columns === undefined) return indexExpression === undefined || table.uniqueKeys === 'full'
  const isPrimaryKey = columns.length === 1 && columns[0]!.column.name === table.key
  return isPrimaryKey || table.uniqueKeys === 'full'
}

/** PostgreSQL infers a partial index only from the same predicate, on plain columns. */
function unqualified(target: Reference): BinaryOperationNode {
  const node = predicateOf(target, 'live')
  return { ...node, leftOperand: ReferenceNode.create((node.leftOperand as ReferenceNode).column as ColumnNode) }
}

function limited(onConflict: OnConflictNode, target: Reference, shown: 'live' | 'only'): OnConflictNode {
  const condition = conjoin(onConflict.updateWhere?.where, [predicateOf(target, shown)])!
  return { ...onConflict, updateWhere: WhereNode.create(condition) }
}

function reviving(onConflict: OnConflictNode, target: Reference): OnConflictNode {
  if (onConflict.doNothing !== true) {
    return { ...onConflict, updates: withCleared(onConflict.updates ?? [], target.table) }
  }
  if (
    onConflict.columns === undefined &&
    onConflict.constraint === undefined &&
    onConflict.indexExpression === undefined
  ) {
    throw new SoftDeleteError(
      'SOFT_DELETE_UNSUPPORTED',
      `DO NOTHING without columns cannot revive a row of "${target.table.name}": name the columns of the key`,
    )
  }
  const { doNothing: _, ...rest } = onConflict
  return limited({ ...rest, updates: withCleared([], target.table) }, target, 'only')
}

function settleDuplicateKey(node: InsertQueryNode, table: SoftDeleteTable): InsertQueryNode {
  const onDuplicateKey = node.onDuplicateKey!
  switch (table.onConflict) {
    case 'fail':
      throw undecided(table)
    case 'ignore':
      throw new SoftDeleteError(
        'SOFT_DELETE_UNSUPPORTED',
        `ON DUPLICATE KEY UPDATE cannot leave a trashed row of "${table.name}" as it is: use upsert()`,
      )
    case 'revive':
      return { ...node, onDuplicateKey: { ...onDuplicateKey, updates: withCleared(onDuplicateKey.updates, table) } }
  }
}

/** Adds the assignments that make a row live, each once. */
function withCleared(updates: readonly ColumnUpdateNode[], table: SoftDeleteTable): readonly ColumnUpdateNode[] {
  const written = new Set(
    updates.map(({ column }) => (column.kind === 'ColumnNode' ? (column as ColumnNode).column.name : '')),
  )
  const missing = [table.column, table.deletedBy, table.batch].filter(
    (name) => name !== undefined && !written.has(name),
  )
  return [
    ...updates,
    ...missing.map((name) => ColumnUpdateNode.create(ColumnNode.create(name!), ValueNode.createImmediate(null))),
  ]
}

function undecided(table: SoftDeleteTable): SoftDeleteError {
  return new SoftDeleteError(
    'SOFT_DELETE_UPSERT_UNDECIDED',
    `This conflict clause may meet a trashed row of "${table.name}": set its \`onConflict\` to "revive" or "ignore"`,
  )
}
