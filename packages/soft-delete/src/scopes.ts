import {
  type DeleteQueryBuilder,
  type Expression,
  ExpressionWrapper,
  type MergeQueryBuilder,
  type OperationNode,
  RawNode,
  SelectModifierNode,
  type SelectQueryBuilder,
  TableNode,
  type UpdateQueryBuilder,
  ValueNode,
  type WheneableMergeQueryBuilder,
} from 'kysely'

import type { SchemaAndName } from './placement/reference.ts'

/** Which rows a reference shows. */
export type Visibility = 'live' | 'with' | 'only'

/** What a statement asked for; see {@link readScope}. */
export interface Scope {
  readonly permanent: boolean
  visibility(reference: SchemaAndName): Visibility
}

interface Modifiable {
  modifyEnd(modifier: Expression<unknown>): unknown
}

/** A query that {@link withTrashed} and {@link onlyTrashed} accept. */
export type ScopedQuery = Modifiable

/** The names by which a query knows its tables: the alias where there is one. */
export type ReferencesOf<Q> =
  Q extends SelectQueryBuilder<infer _DB, infer TB, infer _O>
    ? TB & string
    : Q extends UpdateQueryBuilder<infer _DB, infer _UT, infer TB, infer _O>
      ? TB & string
      : Q extends DeleteQueryBuilder<infer _DB, infer TB, infer _O>
        ? TB & string
        : Q extends WheneableMergeQueryBuilder<infer _DB, infer TT, infer ST, infer _O>
          ? (TT | ST) & string
          : Q extends MergeQueryBuilder<infer _DB, infer TT, infer _O>
            ? TT & string
            : string

/**
 * Shows trashed rows beside the live ones in this statement.
 *
 * Covers the tables that the statement itself names in FROM, JOIN or as its target: not its subqueries, CTEs or the
 * other arms of a set operation, which are scoped on their own. Survives embedding in another query. Has no effect
 * where the plugin is not installed, and adds nothing to the SQL.
 *
 * @param query - A select, update, delete or merge.
 * @param references - Limits the scope to these tables, by alias where they have one; all when none is given.
 * @example
 * withTrashed(db.selectFrom('events').selectAll())
 */
export function withTrashed<Q extends ScopedQuery>(query: Q, ...references: ReferencesOf<Q>[]): Q {
  return mark(query, 'with', references)
}

/**
 * Shows trashed rows and no others in this statement; scoped like {@link withTrashed}.
 *
 * @param query - A select or update.
 * @param references - Limits the scope to these tables, by alias where they have one; all when none is given.
 * @example
 * onlyTrashed(db.selectFrom('events as e').innerJoin('users as u', 'u.id', 'e.owner_id').selectAll('e'), 'e')
 */
export function onlyTrashed<Q extends ScopedQuery>(query: Q, ...references: ReferencesOf<Q>[]): Q {
  return mark(query, 'only', references)
}

/**
 * Lets a DELETE through as it is: rows go for good, live and trashed alike, and the database's ON DELETE actions run.
 *
 * @param query - A delete of a configured table. {@link hardDelete} is the shorter way by key.
 */
export function permanently<Q extends ScopedQuery>(query: Q): Q {
  return mark(query, 'permanent', [])
}

const PREFIX = '@org/soft-delete:'

/**
 * Marks the statement in its own tree: object identity does not survive plugins that copy nodes, and stripping a mark
 * in the first of several passes would lose it. A raw node without fragments compiles to nothing, and the names are
 * table nodes so that plugins which rename tables rename them too.
 */
function mark<Q extends ScopedQuery>(query: Q, kind: string, references: readonly string[]): Q {
  const tables = references.map((reference) => {
    const [name, schema] = reference.split('.').toReversed()
    return schema === undefined ? TableNode.create(name!) : TableNode.createWithSchema(schema, name!)
  })
  return query.modifyEnd(new ExpressionWrapper(markNode(kind, tables))) as Q
}

function markNode(kind: string, tables: readonly TableNode[]): RawNode {
  return RawNode.create([], [ValueNode.create(PREFIX + kind), ...tables])
}

/** The mark of a select that is filtered already, for the passes to come. */
export const SETTLED: SelectModifierNode = SelectModifierNode.createWithExpression(markNode('with', []))

const DEFAULT_SCOPE: Scope = { permanent: false, visibility: () => 'live' }

interface Mark {
  readonly kind: string
  readonly tables: readonly SchemaAndName[]
}

/** Reads the marks of a statement. The last mark that names a reference wins, then the last that names none. */
export function readScope(endModifiers: readonly OperationNode[] | undefined): Scope {
  if (endModifiers === undefined) return DEFAULT_SCOPE
  const marks = endModifiers.map(readMark).filter((found) => found !== undefined)
  if (marks.length === 0) return DEFAULT_SCOPE
  return {
    permanent: marks.some(({ kind }) => kind === 'permanent'),
    visibility(reference) {
      const scopes = marks.filter(({ kind }) => kind !== 'permanent')
      const own = scopes.findLast(({ tables }) => tables.some((table) => names(table, reference)))
      const kind = (own ?? scopes.findLast(({ tables }) => tables.length === 0))?.kind
      return kind === undefined ? 'live' : (kind as Visibility)
    },
  }
}

function names(mark: SchemaAndName, reference: SchemaAndName): boolean {
  if (mark.name !== reference.name) return false
  return mark.schema === undefined || reference.schema === undefined || mark.schema === reference.schema
}

function readMark(modifier: OperationNode): Mark | undefined {
  const node = 'rawModifier' in modifier ? (modifier.rawModifier as OperationNode) : modifier
  if (node?.kind !== 'RawNode') return undefined
  const { sqlFragments, parameters } = node as RawNode
  const [tag, ...rest] = parameters
  if (sqlFragments.length > 0 || tag?.kind !== 'ValueNode') return undefined
  const { value } = tag as ValueNode
  if (typeof value !== 'string' || !value.startsWith(PREFIX)) return undefined
  const tables = (rest as TableNode[]).map(({ table }) => ({ name: table.identifier.name, schema: table.schema?.name }))
  return { kind: value.slice(PREFIX.length), tables }
}
