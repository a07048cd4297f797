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
  taken: ReadonlySet<string | undefined>,
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

/**
 * Points `"schema"."table"."column"` at the derived table's alias, in the statement and in what is nested in it; not in
 * a nested select that names the same table itself. To be called before the derived tables stand in the statement.
 */
export function renameReferences<N extends OperationNode>(node: N, renamed: readonly Renamed[]): N {
  const visit = (child: OperationNode): OperationNode => {
    if (child.kind === 'SelectQueryNode') {
      const others = renamed.filter(({ from }) => !declares(child as SelectQueryNode, from))
      return others.length === 0 ? child : renameReferences(child, others)
    }
    if (child.kind !== 'ReferenceNode') return OPAQUE.has(child.kind) ? child : mapNode(child, visit)
    const reference = child as ReferenceNode
    const to = targetOf(reference.table, renamed)
    if (to === undefined) return child
    const renamedReference: ReferenceNode = { ...reference, table: qualifier({ schema: undefined, name: to }) }
    return renamedReference
  }
  return mapNode(node, visit)
}

function declares({ from, joins }: SelectQueryNode, { schema, name }: SchemaAndName): boolean {
  const sources = [...(from?.froms ?? []), ...(joins ?? []).map(({ table }) => table)]
  return sources.some((source) => {
    if (source.kind !== 'TableNode') return false
    const { table } = source as TableNode
    return table.schema?.name === schema && table.identifier.name === name
  })
}

function targetOf(table: TableNode | undefined, renamed: readonly Renamed[]): string | undefined {
  if (table?.table.schema === undefined) return undefined
  const { schema, identifier } = table.table
  return renamed.find(({ from }) => from.schema === schema.name && from.name === identifier.name)?.to
}
