import { type AliasNode, type IdentifierNode, type OperationNode, type RawNode, TableNode } from 'kysely'

import type { SoftDelete, SoftDeleteTable } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'

/** How the rest of a statement refers to one of its tables. */
export interface SchemaAndName {
  readonly schema: string | undefined
  readonly name: string
}

/** A configured table at one place of FROM, JOIN, USING or the target. */
export interface Reference extends SchemaAndName {
  readonly table: SoftDeleteTable
  /** The table as named in the statement, without its alias. */
  readonly node: TableNode
}

/** Names of the CTEs in reach, innermost first. A plain list: statements nest a few levels deep at most. */
export interface CteNames {
  readonly name: string
  readonly outer: CteNames | undefined
}

/**
 * Recognises a configured table behind a table expression.
 *
 * The table behind an alias decides, never the alias; a name without schema that is a CTE in reach is that CTE.
 */
export function readReference(
  expression: OperationNode,
  config: SoftDelete,
  ctes: CteNames | undefined,
): Reference | undefined {
  if (expression.kind === 'TableNode') {
    const node = expression as TableNode
    const table = findTable(node, config, ctes)
    return table && { table, node, name: node.table.identifier.name, schema: node.table.schema?.name }
  }
  if (expression.kind === 'AliasNode') {
    const { node: inner, alias } = expression as AliasNode
    const node = bareTable(inner)
    if (node === undefined) return undefined
    const table = findTable(node, config, ctes)
    if (table === undefined) return undefined
    if (alias.kind !== 'IdentifierNode') {
      throw new SoftDeleteError('SOFT_DELETE_UNSUPPORTED', `Expected a plain alias for "${table.name}", got raw SQL`)
    }
    return { table, node, name: (alias as IdentifierNode).name, schema: undefined }
  }
  return undefined
}

/** `sql.table('events')` and `sql.id('events')` are a table, or its name, in an otherwise empty raw node. */
export function bareTable(node: OperationNode): TableNode | undefined {
  if (node.kind === 'TableNode') return node as TableNode
  if (node.kind !== 'RawNode') return undefined
  const { sqlFragments, parameters } = node as RawNode
  const fragments = sqlFragments.map((text) => text.trim()).filter((text) => text !== '')
  const [first, second] = parameters
  if (first === undefined) return undefined
  if (parameters.length === 1 && fragments.length === 0) {
    return first.kind === 'IdentifierNode' ? TableNode.create((first as IdentifierNode).name) : bareTable(first)
  }
  const isQualified = parameters.length === 2 && fragments.join('') === '.'
  if (!isQualified || first.kind !== 'IdentifierNode' || second!.kind !== 'IdentifierNode') return undefined
  return TableNode.createWithSchema((first as IdentifierNode).name, (second as IdentifierNode).name)
}

function findTable(node: TableNode, config: SoftDelete, ctes: CteNames | undefined): SoftDeleteTable | undefined {
  const name = node.table.identifier.name
  const schema = node.table.schema?.name
  const table = config.find(name, schema)
  if (table === undefined || schema !== undefined) return table
  for (let cte = ctes; cte !== undefined; cte = cte.outer) if (cte.name === name) return undefined
  return table
}

/** The node by which a predicate names the reference. */
export function qualifier({ schema, name }: SchemaAndName): TableNode {
  return schema === undefined ? TableNode.create(name) : TableNode.createWithSchema(schema, name)
}
