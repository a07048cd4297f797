import type { BinaryOperationNode, OperationNode, RawNode, ReferenceNode, ValueNode } from 'kysely'

import type { SoftDelete } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import { bareTable } from './reference.ts'

/** A pattern of every configured table name that is not a qualifier, quoted in any dialect or not at all. */
export function rawNamesOf(config: SoftDelete): RegExp | undefined {
  if (config.tables.size === 0) return undefined
  const names = [...config.tables.values()].map(({ name }) => name.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`))
  return new RegExp(String.raw`(?<![\w$])["\x60\[]?(${names.join('|')})(?![\w$])["\x60\]]?(?!\s*\.)`, 'i')
}

/** Refuses raw SQL that names a configured table, unless a predicate of `live()` stands in the same fragment. */
export function refuseRawNames(node: RawNode, names: RegExp, config: SoftDelete): void {
  if (node.parameters.some((parameter) => isLive(parameter, config))) return
  for (const text of node.sqlFragments) refuse(names.exec(text)?.[1])
  // A table and nothing else is a table of FROM: that one is filtered.
  if (bareTable(node) !== undefined) return
  for (const parameter of node.parameters) {
    const table = bareTable(parameter)?.table
    if (table !== undefined && config.find(table.identifier.name, table.schema?.name) !== undefined) {
      refuse(table.identifier.name)
    }
  }
}

function refuse(name: string | undefined): void {
  if (name === undefined) return
  throw new SoftDeleteError(
    'SOFT_DELETE_RAW_SQL',
    `Raw SQL names the soft-deletable table "${name}" and is never filtered: put live() into the same fragment`,
  )
}

/** A test of a marker column against null, as `live()` makes it; by content, since other plugins copy nodes. */
function isLive(node: OperationNode, config: SoftDelete): boolean {
  if (node.kind !== 'BinaryOperationNode') return false
  const { leftOperand, rightOperand } = node as BinaryOperationNode
  if (leftOperand.kind !== 'ReferenceNode' || rightOperand.kind !== 'ValueNode') return false
  const { column } = leftOperand as ReferenceNode
  if ((rightOperand as ValueNode).value !== null || column.kind !== 'ColumnNode') return false
  return [...config.tables.values()].some((table) => table.column === column.column.name)
}
