import type { OperationNode } from 'kysely'

/** Kinds that hold no statement, or whose objects are not nodes. */
export const LEAVES: readonly OperationNode['kind'][] = [
  'ColumnNode',
  'DataTypeNode',
  'DefaultInsertValueNode',
  'IdentifierNode',
  'OperatorNode',
  'PrimitiveValueListNode',
  'ReferenceNode',
  'SchemableIdentifierNode',
  'SelectAllNode',
  'TableNode',
  'ValueNode',
]

/**
 * Visits the children of a node and copies it only if one of them changes, so that an untouched tree stays the very
 * same object and costs one read.
 *
 * @param skip - A property that is not visited.
 */
export function mapNode<N extends OperationNode, A>(
  node: N,
  visit: (child: OperationNode, argument: A) => OperationNode,
  argument?: A,
  skip?: string,
): N {
  let copy: Record<string, unknown> | undefined
  for (const key in node) {
    const value = node[key] as unknown
    if (typeof value !== 'object' || value === null || key === skip) continue
    const mapped = Array.isArray(value)
      ? mapList(value as OperationNode[], visit, argument as A)
      : visit(value as OperationNode, argument as A)
    if (mapped !== value) {
      copy ??= { ...node } as Record<string, unknown>
      copy[key] = mapped
    }
  }
  return copy === undefined ? node : (copy as unknown as N)
}

function mapList<A>(
  list: readonly OperationNode[],
  visit: (child: OperationNode, argument: A) => OperationNode,
  argument: A,
): readonly OperationNode[] {
  let copy: OperationNode[] | undefined
  for (let index = 0; index < list.length; index++) {
    const value = list[index] as OperationNode | string | null
    // Fragments of raw SQL are strings, and a row of a multi-row insert may be a list of its own.
    if (typeof value !== 'object' || value === null) continue
    const mapped = visit(value, argument)
    if (mapped !== value) (copy ??= [...list])[index] = mapped
  }
  return copy ?? list
}
