import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
  type UnaryOperationNode,
  ValueNode,
} from 'kysely'

import type { SoftDeleteTable } from '../config.ts'
import { qualifier, type Reference, type SchemaAndName } from './reference.ts'

type Shown = 'live' | 'only'

/** Bounds what is remembered per table, for programs that make up aliases. */
const MAX_REMEMBERED = 256

const remembered = new WeakMap<SoftDeleteTable, Map<string, BinaryOperationNode>>()

/** The predicate that shows the live, or only the trashed, rows of a reference. Nodes are shared between queries. */
export function predicateOf(reference: Reference, shown: Shown): BinaryOperationNode {
  const { table, schema, name } = reference
  let nodes = remembered.get(table)
  if (nodes === undefined) remembered.set(table, (nodes = new Map()))
  // No identifier holds a NUL.
  const key = schema === undefined ? `${shown}\0${name}` : `${shown}\0${schema}\0${name}`
  let node = nodes.get(key)
  if (node === undefined) {
    node = isNull(reference, table.column, shown)
    if (nodes.size < MAX_REMEMBERED) nodes.set(key, node)
  }
  return node
}

/** `"name"."column" is null`, or `is not null`. */
export function isNull(reference: SchemaAndName, column: string, shown: Shown): BinaryOperationNode {
  return BinaryOperationNode.create(
    ReferenceNode.create(ColumnNode.create(column), qualifier(reference)),
    OperatorNode.create(shown === 'live' ? 'is' : 'is not'),
    ValueNode.createImmediate(null),
  )
}

/**
 * Adds predicates to a condition, each once.
 *
 * A query built from the plugged database is seen again when it is embedded in another, copied by then if another
 * plugin copies: so a predicate that stands there already is recognised by its content.
 */
export function conjoin(
  condition: OperationNode | undefined,
  predicates: readonly BinaryOperationNode[],
): OperationNode | undefined {
  let out = condition
  for (const predicate of predicates) {
    if (out === undefined) out = predicate
    else if (!holds(out, predicate)) out = AndNode.create(isAtomic(out) ? out : ParensNode.create(out), predicate)
  }
  return out
}

function holds(condition: OperationNode, predicate: BinaryOperationNode): boolean {
  if (condition === predicate) return true
  if (condition.kind === 'AndNode') {
    const { left, right } = condition as AndNode
    return holds(right, predicate) || holds(left, predicate)
  }
  if (condition.kind === 'ParensNode') return holds((condition as ParensNode).node, predicate)
  return condition.kind === 'BinaryOperationNode' && same(condition as BinaryOperationNode, predicate)
}

function same(one: BinaryOperationNode, other: BinaryOperationNode): boolean {
  const [left, right] = [one.leftOperand, other.leftOperand as ReferenceNode]
  if (left.kind !== 'ReferenceNode' || one.rightOperand.kind !== 'ValueNode') return false
  const { column, table } = left as ReferenceNode
  if ((one.rightOperand as ValueNode).value !== null || column.kind !== 'ColumnNode' || table === undefined)
    return false
  return (
    (one.operator as OperatorNode).operator === (other.operator as OperatorNode).operator &&
    column.column.name === (right.column as ColumnNode).column.name &&
    table.table.identifier.name === right.table?.table.identifier.name &&
    table.table.schema?.name === right.table.table.schema?.name
  )
}

/** Operands that Kysely itself delimits. */
const OPERANDS: ReadonlySet<OperationNode['kind']> = new Set([
  'AggregateFunctionNode',
  'CastNode',
  'ColumnNode',
  'FunctionNode',
  'ParensNode',
  'PrimitiveValueListNode',
  'ReferenceNode',
  'SelectQueryNode',
  'TupleNode',
  'ValueListNode',
  'ValueNode',
])

/** Whether a condition keeps its meaning beside AND. Raw SQL may hold an OR, so what contains any is put in parentheses. */
function isAtomic(node: OperationNode): boolean {
  if (node.kind === 'ParensNode') return true
  if (node.kind === 'AndNode') return isAtomic((node as AndNode).left) && isAtomic((node as AndNode).right)
  if (node.kind === 'UnaryOperationNode') {
    const { operator, operand } = node as UnaryOperationNode
    return operator.kind === 'OperatorNode' && OPERANDS.has(operand.kind)
  }
  if (node.kind !== 'BinaryOperationNode') return false
  const { leftOperand, operator, rightOperand } = node as BinaryOperationNode
  return operator.kind === 'OperatorNode' && OPERANDS.has(leftOperand.kind) && OPERANDS.has(rightOperand.kind)
}
