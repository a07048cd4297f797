import {
  type AliasNode,
  ColumnNode,
  ColumnUpdateNode,
  type DeleteQueryNode,
  type DialectAdapter,
  FromNode,
  type IdentifierNode,
  MysqlAdapter,
  type OperationNode,
  RawNode,
  ReferenceNode,
  SqliteAdapter,
  type TableNode,
  type UpdateQueryNode,
  ValueNode,
  WhereNode,
} from 'kysely'

import type { SoftDelete } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import { encodeMoment } from '../moment.ts'
import { conjoin, predicateOf } from '../placement/predicate.ts'
import { qualifier, type Reference } from '../placement/reference.ts'
import { isGuard } from './guard.ts'

/** Turns a DELETE whose sources are filtered into the UPDATE that trashes the same rows. */
export function compileAsUpdate(
  node: DeleteQueryNode,
  target: Reference,
  config: SoftDelete,
  adapter: DialectAdapter,
): UpdateQueryNode {
  const { table } = target
  const isMysql = adapter instanceof MysqlAdapter
  if (table.children.some(({ onDelete }) => onDelete !== 'ignore')) {
    throw new SoftDeleteError(
      'SOFT_DELETE_DIRECT_DELETE',
      `"${table.name}" has children whose policies one UPDATE cannot follow: use softDelete()`,
    )
  }
  if (node.top !== undefined || node.output !== undefined) throw unsupported('TOP and OUTPUT')
  if (!isMysql && (node.limit !== undefined || node.orderBy !== undefined)) throw unsupported('LIMIT and ORDER BY')
  const where = WhereNode.create(conjoin(node.where?.where, [predicateOf(target, 'live')])!)
  const marker = ColumnNode.create(table.column)
  const column = isMysql && node.using !== undefined ? ReferenceNode.create(marker, qualifier(target)) : marker
  const endModifiers = node.endModifiers?.filter((modifier) => !isGuard(modifier))
  return {
    kind: 'UpdateQueryNode',
    ...sourcesOf(node, target, isMysql),
    updates: [ColumnUpdateNode.create(column, momentNode(config, adapter instanceof SqliteAdapter))],
    where,
    ...(node.with && { with: node.with }),
    ...(node.returning && { returning: node.returning }),
    ...(node.orderBy && { orderBy: node.orderBy }),
    ...(node.limit && { limit: node.limit }),
    ...(node.explain && { explain: node.explain }),
    ...(endModifiers !== undefined && endModifiers.length > 0 && { endModifiers }),
  }
}

function sourcesOf(
  { from, using, joins }: DeleteQueryNode,
  target: Reference,
  isMysql: boolean,
): Pick<UpdateQueryNode, 'table' | 'from' | 'joins'> {
  const [table] = from.froms
  if (using === undefined) {
    if (joins !== undefined) throw unsupported('JOIN without USING')
    return { table: table! }
  }
  const repeats = using.tables.some((item) => visibleName(item) === target.name)
  if (!isMysql) {
    if (repeats) throw unsupported('USING that names the target again without an alias')
    return { table: table!, from: FromNode.create(using.tables), ...(joins && { joins }) }
  }
  // MySQL names the joined tables before SET, where Kysely's UPDATE has room for one expression.
  const commas = using.tables.map((_, index) => (index === 0 ? '' : ', '))
  const spaces = (joins ?? []).map(() => ' ')
  return { table: RawNode.create([...commas, ...spaces, ''], [...using.tables, ...(joins ?? [])]) }
}

function visibleName(node: OperationNode): string | undefined {
  if (node.kind === 'TableNode') return (node as TableNode).table.identifier.name
  if (node.kind !== 'AliasNode' || (node as AliasNode).alias.kind !== 'IdentifierNode') return undefined
  return ((node as AliasNode).alias as IdentifierNode).name
}

function momentNode(config: SoftDelete, isSqlite: boolean): OperationNode {
  if (config.now === undefined) return RawNode.createWithSql('current_timestamp')
  return ValueNode.create(encodeMoment(isSqlite, config.now()))
}

function unsupported(what: string): SoftDeleteError {
  return new SoftDeleteError(
    'SOFT_DELETE_UNSUPPORTED',
    `DELETE with ${what} has no UPDATE that reaches the same rows: use softDelete() with a condition`,
  )
}
