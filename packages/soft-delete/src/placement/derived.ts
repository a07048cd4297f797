import {
  AliasNode,
  type BinaryOperationNode,
  FromNode,
  IdentifierNode,
  type OperationNode,
  type ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  type TableNode,
  WhereNode,
} from 'kysely'

import { SETTLED } from '../scopes.ts'
import { LEAVES, mapNode } from './map-node.ts'
import { isNull, predicateOf } from './predicate.ts'
import { qualifier, type Reference, type SchemaAndName } from './reference.ts'

/** A reference that became a derived table under a plain alias, since a derived table has no schema. */
export interface Renamed {
  readonly from: SchemaAndName
  readonly to: string
}

/**
 * Puts `(select * from t where …) as name` in the place of a reference.
 *
 * @param taken - Names that other references of the statement have.
 */
export function deriveTable(
  reference: Reference,
  shown: 'live' | 'only',
  taken: ReadonlySet<string>,
): { node: AliasNode; renamed: Renamed | undefined } {
  const { node: table, name, schema } = reference
  const inside: SchemaAndName = { schema: table.table.schema?.name, name: table.table.identifier.name }
  const to = schema !== undefined && taken.has(name) ? `${schema}.${name}` : name
  const isUnaliased = inside.schema === schema && inside.name === name
  const predicate: BinaryOperationNode = isUnaliased
    ? predicateOf(reference, shown)
    : isNull(inside, reference.table.column, shown)
  const rows: SelectQueryNode = {
    kind: 'SelectQueryNode',
    from: FromNode.create([table]),
    selections: [SelectionNode.createSelectAll()],
    where: WhereNode.create(predicate),
    ...(shown === 'only' && { endModifiers: [SETTLED] }),
  }
  return {
    node: AliasNode.create(rows, IdentifierNode.create(to)),
    renamed: schema === undefined ? undefined : { from: { schema, name }, to },
  }
}

const OPAQUE: ReadonlySet<OperationNode['kind']> = new Set(LEAVES)

/** Points `"schema"."table"."column"` at the derived table's alias, in the statement and in what is nested in it. */
export function renameReferences<N extends OperationNode>(node: N, renamed: readonly Renamed[]): N {
  const visit = (child: OperationNode): OperationNode => {
    if (child.kind !== 'ReferenceNode') return OPAQUE.has(child.kind) ? child : mapNode(child, visit)
    const reference = child as ReferenceNode
    const to = targetOf(reference.table, renamed)
    return to === undefined
      ? child
      : ({ ...reference, table: qualifier({ schema: undefined, name: to }) } as ReferenceNode)
  }
  return mapNode(node, visit)
}

function targetOf(table: TableNode | undefined, renamed: readonly Renamed[]): string | undefined {
  if (table?.table.schema === undefined) return undefined
  const { schema, identifier } = table.table
  return renamed.find(({ from }) => from.schema === schema.name && from.name === identifier.name)?.to
}
