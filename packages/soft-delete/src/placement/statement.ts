import {
  AliasNode,
  type BinaryOperationNode,
  type FromNode,
  type IdentifierNode,
  type JoinNode,
  type MergeQueryNode,
  OnNode,
  type OperationNode,
  type TableNode,
  type UsingNode,
  WhereNode,
} from 'kysely'

import type { Scope, Visibility } from '../scopes.ts'
import { deriveTable, renameReferences } from './derived.ts'
import { type Place, placeOfItem, placeOfJoined } from './place.ts'
import { conjoin, predicateOf } from './predicate.ts'
import type { Reference } from './reference.ts'

/** The parts of a statement that name tables or hold conditions. */
export interface Sources extends OperationNode {
  readonly from?: FromNode
  readonly using?: UsingNode
  readonly joins?: readonly JoinNode[]
  readonly where?: WhereNode
}

/** A configured table to filter: an item of the list, or what a join brings in. */
export interface Found {
  readonly reference: Reference
  readonly at: 'target' | 'item' | 'join'
  readonly index: number
}

/** Puts one predicate per reference where it belongs. `list` says which clause holds the items that the joins follow. */
export function placePredicates<S extends Sources>(
  statement: S,
  list: 'from' | 'using',
  found: readonly Found[],
  scope: Scope,
): S {
  const where: BinaryOperationNode[] = []
  const ons = new Map<number, BinaryOperationNode[]>()
  const derived: { found: Found; shown: 'live' | 'only' }[] = []
  for (const one of found) {
    const shown: Visibility = scope.visibility(one.reference)
    if (shown === 'with') continue
    const place = placeOf(one, statement, list)
    if (place === 'derived') derived.push({ found: one, shown })
    else if (place === 'where') where.push(predicateOf(one.reference, shown))
    else ons.set(place, [...(ons.get(place) ?? []), predicateOf(one.reference, shown)])
  }
  let out = statement
  if (where.length > 0) {
    const condition = conjoin(out.where?.where, where)!
    if (condition !== out.where?.where) out = { ...out, where: WhereNode.create(condition) }
  }
  if (ons.size > 0) out = { ...out, joins: out.joins!.map((join, index) => withOn(join, ons.get(index))) }
  return derived.length === 0 ? out : derive(out, list, derived)
}

function placeOf({ at, index }: Found, { joins = [], ...rest }: Sources, list: 'from' | 'using'): Place {
  if (at === 'target' || joins.length === 0) return 'where'
  return at === 'join' ? placeOfJoined(joins, index) : placeOfItem(joins, index === itemsOf(rest, list).length - 1)
}

function withOn(join: JoinNode, predicates: readonly BinaryOperationNode[] | undefined): JoinNode {
  if (predicates === undefined) return join
  const condition = conjoin(join.on?.on, predicates)!
  return condition === join.on?.on ? join : { ...join, on: OnNode.create(condition) }
}

/** The items of FROM or USING. */
export function itemsOf(
  { from, using }: Pick<Sources, 'from' | 'using'>,
  list: 'from' | 'using',
): readonly OperationNode[] {
  return (list === 'from' ? from?.froms : using?.tables) ?? []
}

function derive<S extends Sources>(
  statement: S,
  list: 'from' | 'using',
  derived: readonly { found: Found; shown: 'live' | 'only' }[],
): S {
  const names = [...itemsOf(statement, list), ...(statement.joins ?? []).map(({ table }) => table)].map(nameOf)
  const made = derived.map(({ found, shown }) => {
    const at = found.at === 'item' ? found.index : itemsOf(statement, list).length + found.index
    return { found, ...deriveTable(found.reference, shown, new Set(names.toSpliced(at, 1))) }
  })
  const renamed = made.map((one) => one.renamed).filter((one) => one !== undefined)
  const out = renamed.length === 0 ? statement : renameReferences(statement, renamed)
  const items = [...itemsOf(out, list)]
  const joins = [...(out.joins ?? [])]
  for (const { found, node } of made) {
    if (found.at === 'item') items[found.index] = node
    else joins[found.index] = { ...joins[found.index]!, table: node }
  }
  if (list === 'from') return { ...out, from: { ...out.from!, froms: items }, joins }
  return { ...out, using: { ...out.using!, tables: items }, joins }
}

function nameOf(node: OperationNode): string | undefined {
  if (node.kind === 'TableNode') return (node as TableNode).table.identifier.name
  if (!AliasNode.is(node) || node.alias.kind !== 'IdentifierNode') return undefined
  return (node.alias as IdentifierNode).name
}

/** Filters the source of a MERGE before it is matched: in ON a trashed row would count as "not matched". */
export function deriveSource(node: MergeQueryNode, reference: Reference, shown: 'live' | 'only'): MergeQueryNode {
  const { node: table, renamed } = deriveTable(reference, shown, new Set())
  const out = renamed === undefined ? node : renameReferences(node, [renamed])
  return { ...out, using: { ...out.using!, table } }
}
