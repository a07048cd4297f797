import {
  type AndNode,
  type BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  type InsertQueryNode,
  type OnConflictNode,
  type OperationNode,
  type OperatorNode,
  type ParensNode,
  ReferenceNode,
  ValueNode,
  WhereNode,
} from 'kysely'

import type { SoftDelete, SoftDeleteTable } from '../config.ts'
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
export function settleConflict(
  node: InsertQueryNode,
  target: Reference,
  scope: Scope,
  { databaseName }: SoftDelete,
): InsertQueryNode {
  if (scope.visibility(target) === 'with') return node
  if (node.orAction?.action === 'ignore') refuseIgnore(target.table)
  if (node.onDuplicateKey !== undefined) return settleDuplicateKey(node, target.table, databaseName)
  const { onConflict } = node
  if (onConflict === undefined) return node
  const { indexWhere } = onConflict
  if (indexWhere !== undefined && saysLive(indexWhere.where, target.table, databaseName)) return node
  // Another condition leads to an index that holds trashed rows: one of live rows would not be found by it.
  if (indexWhere === undefined && !canMeetTrashed(onConflict, target.table, databaseName)) {
    return { ...node, onConflict: { ...onConflict, indexWhere: WhereNode.create(unqualified(target)) } }
  }
  switch (target.table.onConflict) {
    case 'fail':
      throw undecided(target.table)
    case 'ignore':
      return onConflict.doNothing === true ? node : { ...node, onConflict: limited(onConflict, target, 'live') }
    case 'revive':
      return { ...node, onConflict: reviving(onConflict, target, databaseName) }
  }
}

/** The arbiter may be an index that holds trashed rows too: the primary key, a named constraint, any, or a full index. */
function canMeetTrashed(
  { columns, indexExpression }: OnConflictNode,
  table: SoftDeleteTable,
  toName: SoftDelete['databaseName'],
): boolean {
  if (columns === undefined) return indexExpression === undefined || table.uniqueKeys === 'full'
  const isPrimaryKey = columns.length === 1 && toName(columns[0]!.column.name) === table.key
  return isPrimaryKey || table.uniqueKeys === 'full'
}

/** Whether the condition of an index holds the live rows only. Raw SQL is not read: who writes it says what is meant. */
function saysLive(node: OperationNode, table: SoftDeleteTable, toName: SoftDelete['databaseName']): boolean {
  if (node.kind === 'RawNode') return true
  if (node.kind === 'ParensNode') return saysLive((node as ParensNode).node, table, toName)
  if (node.kind === 'AndNode') {
    return saysLive((node as AndNode).left, table, toName) || saysLive((node as AndNode).right, table, toName)
  }
  if (node.kind !== 'BinaryOperationNode') return false
  const { leftOperand, operator, rightOperand } = node as BinaryOperationNode
  if (leftOperand.kind !== 'ReferenceNode' || rightOperand.kind !== 'ValueNode') return false
  const { column } = leftOperand as ReferenceNode
  const isMarker = column.kind === 'ColumnNode' && toName(column.column.name) === table.column
  return isMarker && (operator as OperatorNode).operator === 'is' && (rightOperand as ValueNode).value === null
}

/** INSERT IGNORE drops the new row when a trashed one has its place. */
function refuseIgnore(table: SoftDeleteTable): void {
  if (table.onConflict === 'fail') throw undecided(table)
  if (table.onConflict === 'ignore') return
  throw new SoftDeleteError(
    'SOFT_DELETE_UNSUPPORTED',
    `INSERT IGNORE cannot revive a row of "${table.name}": use upsert()`,
  )
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

function reviving(onConflict: OnConflictNode, target: Reference, toName: SoftDelete['databaseName']): OnConflictNode {
  if (onConflict.doNothing !== true) {
    return { ...onConflict, updates: withCleared(onConflict.updates ?? [], target.table, toName) }
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
  return limited({ ...rest, updates: withCleared([], target.table, toName) }, target, 'only')
}

function settleDuplicateKey(
  node: InsertQueryNode,
  table: SoftDeleteTable,
  toName: SoftDelete['databaseName'],
): InsertQueryNode {
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
      return {
        ...node,
        onDuplicateKey: { ...onDuplicateKey, updates: withCleared(onDuplicateKey.updates, table, toName) },
      }
  }
}

/** Adds the assignments that make a row live, each once. */
function withCleared(
  updates: readonly ColumnUpdateNode[],
  table: SoftDeleteTable,
  toName: SoftDelete['databaseName'],
): readonly ColumnUpdateNode[] {
  const written = new Set(
    updates.map(({ column }) => (column.kind === 'ColumnNode' ? toName((column as ColumnNode).column.name) : '')),
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
