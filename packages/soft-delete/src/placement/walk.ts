import type {
  AliasNode,
  BinaryOperationNode,
  CommonTableExpressionNode,
  CreateViewNode,
  DeleteQueryNode,
  InsertQueryNode,
  ListNode,
  MergeQueryNode,
  OperationNode,
  RawNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  UpdateQueryNode,
  WhenNode,
  WhereNode,
  WithNode,
} from 'kysely'

import type { SoftDelete } from '../config.ts'
import { SoftDeleteError } from '../errors.ts'
import { readScope, type Scope } from '../scopes.ts'
import { LEAVES, mapNode } from './map-node.ts'
import { refuseRawNames } from './raw.ts'
import { type CteNames, readReference, type Reference } from './reference.ts'
import { deriveSource, type Found, itemsOf, placePredicates, type Sources } from './statement.ts'
import { settleConflict } from './upsert.ts'

/** What one installation of the plugin does; shared by all its queries, never changed. */
export interface WalkOptions {
  readonly config: SoftDelete
  /** Pattern of the configured names, when raw SQL that holds one is refused. */
  readonly rawNames: RegExp | undefined
  /** Called with each delete whose target is configured and not marked as permanent, its sources filtered by then. */
  readonly onDelete: (node: DeleteQueryNode, target: Reference) => DeleteQueryNode
}

/** Where the walk is: state lives in arguments, so that a throw leaves nothing behind. */
interface Reach extends WalkOptions {
  readonly ctes: CteNames | undefined
  /** In the body of a view, where a reference that says nothing is refused. */
  readonly isView: boolean
}

/**
 * Filters every reference to a configured table below a node, in one walk.
 *
 * @returns The very same node when no configured table is named in it.
 * @throws {@link SoftDeleteError} as the plugin does.
 */
export function filterTrashed<N extends OperationNode>(root: N, options: WalkOptions): N {
  return visit(root, { ...options, ctes: undefined, isView: false }) as N
}

type Visitor = (node: OperationNode, reach: Reach) => OperationNode

const keep: Visitor = (node) => node

/**
 * Kinds that need more than a visit of their children: statements, raw SQL, and leaves. Below them the kinds that nearly
 * every query has: naming their one or two children costs a third of looking for them.
 */
const VISITORS = new Map<OperationNode['kind'], Visitor>([
  ['SelectQueryNode', (node, reach) => visitSelect(node as SelectQueryNode, reach)],
  ['UpdateQueryNode', (node, reach) => visitUpdate(node as UpdateQueryNode, reach)],
  ['InsertQueryNode', (node, reach) => visitInsert(node as InsertQueryNode, reach)],
  ['DeleteQueryNode', (node, reach) => visitDelete(node as DeleteQueryNode, reach)],
  ['MergeQueryNode', (node, reach) => visitMerge(node as MergeQueryNode, reach)],
  ['CreateViewNode', (node, reach) => visitView(node as CreateViewNode, reach)],
  ['RawNode', (node, reach) => visitRaw(node as RawNode, reach)],
  ...LEAVES.map((kind): [OperationNode['kind'], Visitor] => [kind, keep]),
  ['SelectionNode', (node, reach) => visitSelection(node as SelectionNode, reach)],
  ['AliasNode', (node, reach) => visitAlias(node as AliasNode, reach)],
  ['WhereNode', (node, reach) => visitWhere(node as WhereNode, reach)],
  ['BinaryOperationNode', (node, reach) => visitBinary(node as BinaryOperationNode, reach)],
])

function visit(node: OperationNode, reach: Reach): OperationNode {
  const visitor = VISITORS.get(node.kind)
  return visitor === undefined ? mapNode(node, visit, reach) : visitor(node, reach)
}

function visitSelection(node: SelectionNode, reach: Reach): SelectionNode {
  const selection = visit(node.selection, reach) as SelectionNode['selection']
  return selection === node.selection ? node : { ...node, selection }
}

function visitAlias(node: AliasNode, reach: Reach): AliasNode {
  const [inner, alias] = [visit(node.node, reach), visit(node.alias, reach)]
  return inner === node.node && alias === node.alias ? node : { ...node, node: inner, alias }
}

function visitWhere(node: WhereNode, reach: Reach): WhereNode {
  const where = visit(node.where, reach)
  return where === node.where ? node : { ...node, where }
}

function visitBinary(node: BinaryOperationNode, reach: Reach): BinaryOperationNode {
  const leftOperand = visit(node.leftOperand, reach)
  const operator = visit(node.operator, reach)
  const rightOperand = visit(node.rightOperand, reach)
  const isSame = leftOperand === node.leftOperand && operator === node.operator && rightOperand === node.rightOperand
  return isSame ? node : { ...node, leftOperand, operator, rightOperand }
}

function visitRaw(node: RawNode, reach: Reach): RawNode {
  if (reach.rawNames !== undefined) refuseRawNames(node, reach.rawNames, reach.config)
  return mapNode(node, visit, reach)
}

/** Visits what is nested in a statement, with the names of its CTEs in reach. */
function visitNested<S extends OperationNode & { readonly with?: WithNode }>(statement: S, outer: Reach): [S, Reach] {
  if (statement.with === undefined) return [mapNode(statement, visit, outer), outer]
  const { node, reach } = visitWith(statement.with, outer)
  const nested = mapNode(statement, visit, reach, 'with')
  return [node === statement.with ? nested : { ...nested, with: node }, reach]
}

/** A body sees the CTEs before it; in a recursive WITH all of them, its own name included. */
function visitWith(node: WithNode, outer: Reach): { node: WithNode; reach: Reach } {
  const bind = (reach: Reach, { name }: CommonTableExpressionNode): Reach => ({
    ...reach,
    ctes: { name: name.table.table.identifier.name, outer: reach.ctes },
  })
  let reach = node.recursive === true ? node.expressions.reduce(bind, outer) : outer
  let changed = false
  const expressions = node.expressions.map((cte) => {
    const expression = visit(cte.expression, reach)
    if (node.recursive !== true) reach = bind(reach, cte)
    if (expression === cte.expression) return cte
    changed = true
    return { ...cte, expression }
  })
  return { node: changed ? { ...node, expressions } : node, reach }
}

function visitSelect(node: SelectQueryNode, outer: Reach): SelectQueryNode {
  const [nested, reach] = visitNested(node, outer)
  const found = findSources(node, 'from', reach)
  if (found.length === 0) return nested
  const scope = readScope(node.endModifiers)
  if (reach.isView) refuseSilentView(found, scope)
  return placePredicates(nested, 'from', found, scope)
}

const NOTHING: readonly Found[] = []

function findSources(statement: Sources, list: 'from' | 'using', { config, ctes }: Reach): readonly Found[] {
  let found: Found[] | undefined
  const items = itemsOf(statement, list)
  for (let index = 0; index < items.length; index++) {
    const reference = readReference(items[index]!, config, ctes)
    if (reference !== undefined) (found ??= []).push({ reference, at: 'item', index })
  }
  const { joins } = statement
  for (let index = 0; joins !== undefined && index < joins.length; index++) {
    const reference = readReference(joins[index]!.table, config, ctes)
    if (reference !== undefined) (found ??= []).push({ reference, at: 'join', index })
  }
  return found ?? NOTHING
}

function visitUpdate(node: UpdateQueryNode, outer: Reach): UpdateQueryNode {
  const [nested, reach] = visitNested(node, outer)
  const targets =
    node.table === undefined ? [] : node.table.kind === 'ListNode' ? (node.table as ListNode).items : [node.table]
  const found = [...findSources(node, 'from', reach)]
  targets.forEach((target, index) => {
    // A CTE cannot be updated, so its name does not hide the table here.
    const reference = readReference(target, reach.config, undefined)
    if (reference !== undefined) found.push({ reference, at: 'target', index })
  })
  return found.length === 0 ? nested : placePredicates(nested, 'from', found, readScope(node.endModifiers))
}

function visitInsert(node: InsertQueryNode, outer: Reach): InsertQueryNode {
  const [nested, reach] = visitNested(node, outer)
  const target = node.into && readReference(node.into, reach.config, undefined)
  return target === undefined ? nested : settleConflict(nested, target, readScope(node.endModifiers), reach.config)
}

function visitDelete(node: DeleteQueryNode, outer: Reach): DeleteQueryNode {
  const [nested, reach] = visitNested(node, outer)
  const scope = readScope(node.endModifiers)
  const all = findSources(node, 'using', reach)
  const targets = node.from.froms.map((item) => readReference(item, reach.config, undefined) ?? readAgain(item, all))
  const target = targets.find((reference) => reference !== undefined)
  const sources = all.filter(({ reference }) => !targets.some((one) => one !== undefined && isSame(one, reference)))
  const filtered = sources.length === 0 ? nested : placePredicates(nested, 'using', sources, scope)
  if (target === undefined || scope.permanent) return filtered
  if (targets.length > 1) {
    throw new SoftDeleteError(
      'SOFT_DELETE_UNSUPPORTED',
      'Expected a delete from one table, got several: delete from each',
    )
  }
  return reach.onDelete(filtered, target)
}

/** MySQL deletes from a name that USING explains: `delete from e using events as e`. */
function readAgain(item: OperationNode, sources: readonly Found[]): Reference | undefined {
  if (item.kind !== 'TableNode') return undefined
  const { identifier, schema } = (item as TableNode).table
  if (schema !== undefined) return undefined
  return sources.find(({ reference }) => reference.name === identifier.name)?.reference
}

/** The target named again in USING is the same row: filtered, or not, as the target is. */
function isSame(one: Reference, other: Reference): boolean {
  return one.name === other.name && one.schema === other.schema
}

function visitMerge(node: MergeQueryNode, outer: Reach): MergeQueryNode {
  const [nested, reach] = visitNested(node, outer)
  const scope = readScope(node.endModifiers)
  const target = readReference(node.into, reach.config, undefined)
  if (target !== undefined) refuseMergeTarget(node, target, scope)
  const source = node.using && readReference(node.using.table, reach.config, reach.ctes)
  if (source === undefined) return nested
  const shown = scope.visibility(source)
  return shown === 'with' ? nested : deriveSource(nested, source, shown)
}

function refuseMergeTarget(node: MergeQueryNode, target: Reference, scope: Scope): void {
  if (scope.visibility(target) !== 'with') {
    throw new SoftDeleteError(
      'SOFT_DELETE_UNSUPPORTED',
      `MERGE into "${target.name}" would match its trashed rows: use upsert(), or withTrashed() to mean them`,
    )
  }
  const deletes = node.whens?.some(
    ({ result }: WhenNode) => result?.kind === 'RawNode' && (result as RawNode).sqlFragments[0] !== 'do nothing',
  )
  if (deletes === true && !scope.permanent) {
    throw new SoftDeleteError(
      'SOFT_DELETE_UNSUPPORTED',
      `MERGE with THEN DELETE would remove rows of "${target.name}" for good: use softDelete(), or permanently()`,
    )
  }
}

/** A view outlives the query: baked in silently, the filter would stay when the configuration changes. */
function visitView(node: CreateViewNode, reach: Reach): CreateViewNode {
  if (node.as?.kind === 'SelectQueryNode') visit(node.as, { ...reach, isView: true })
  return node
}

function refuseSilentView(found: readonly Found[], scope: Scope): void {
  for (const { reference } of found) {
    if (scope.visibility(reference) !== 'live') continue
    throw new SoftDeleteError(
      'SOFT_DELETE_VIEW_UNDECIDED',
      `A view over "${reference.name}" must say which rows it shows: pass withTrashed(query), with a condition of its own`,
    )
  }
}
