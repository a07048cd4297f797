import {
  type Compilable,
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type QueryCreator,
  type SelectQueryBuilder,
  type SqlBool,
  sql,
} from 'kysely'

import { onlyTrashed, withTrashed } from '../../src/scopes.ts'
import type { Column, Condition, Join, Plan, Query, Source, TableSource, WritePlan } from './plan.ts'

export type Tables = Record<string, Record<string, unknown>>
type Creator = QueryCreator<Tables>
type Select = SelectQueryBuilder<Tables, string, Record<string, unknown>>
type Builder = ExpressionBuilder<Tables, string>

/** Whether the query is built on the tables, for the plugin, or on views that show what the plugin should. */
export type Side = 'tables' | 'views'

/** A query that yields rows of id, ref and rank. */
export type Built = Compilable<Record<string, unknown>> & { execute(): Promise<Record<string, unknown>[]> }

/** What the columns are for: rows, the count that a scalar subquery needs, or the one column of an IN. */
type Shape = 'rows' | 'count' | 'id'

interface Context {
  readonly db: Kysely<Tables>
  readonly side: Side
  readonly schema: string
  /** How a column is written, by the alias of its source; inner sources hide outer ones. */
  readonly names: ReadonlyMap<string, string>
}

/** Builds one side of a plan. A write is run on the tables only; the views answer which rows it should reach. */
export function buildPlan(plan: Plan, db: Kysely<Tables>, side: Side, schema: string): Built {
  const context: Context = { db, side, schema, names: new Map() }
  if (plan.kind === 'select') return buildQuery(db, plan.query, context, 'rows') as unknown as Built
  return (side === 'tables' ? buildWrite(plan, context) : buildReach(plan, context)) as unknown as Built
}

function buildQuery(creator: Creator, query: Query, outer: Context, shape: Shape): Select {
  const context = withNames(outer, [...query.sources, ...query.joins.map(({ source }) => source)])
  const start = withCtes(creator, query.ctes, query.isRecursive, outer)
  let built = start.selectFrom(query.sources.map((source) => tableExpression(source, outer)) as never) as Select
  for (const join of query.joins) built = addJoin(built, join, outer, context)
  if (query.where !== undefined) {
    const { where } = query
    built = built.where((eb) => condition(eb as Builder, where, context))
  }
  built = select(built, query, context, shape)
  if (outer.side === 'tables') built = scoped(built, query, outer)
  if (shape === 'count') return built
  for (const { operator, query: arm } of query.arms) {
    built = built[operator](
      (eb: unknown) => buildQuery(creatorOf(eb as Creator, arm, outer), arm, outer, shape) as never,
    )
  }
  if (query.limit === undefined) return built
  return built.orderBy('id').orderBy('ref').orderBy('rank').limit(query.limit)
}

function creatorOf(inner: unknown, query: Query, { db }: Context): Creator {
  return query.isFromDb ? db : (inner as Creator)
}

function withCtes(creator: Creator, ctes: Query['ctes'], isRecursive: boolean, context: Context): Creator {
  let out = creator
  for (const { name, query } of ctes) {
    const body = (inner: unknown): Select => buildQuery(creatorOf(inner, query, context), query, context, 'rows')
    // The columns of a recursive CTE are named, as Kysely asks for.
    out = (
      isRecursive ? out.withRecursive(`${name}(id, ref, rank)`, body as never) : out.with(name, body as never)
    ) as Creator
  }
  return out
}

function withNames(outer: Context, sources: readonly Source[]): Context {
  const names = new Map(outer.names)
  for (const source of sources) names.set(source.alias, visibleName(source, outer))
  return { ...outer, names }
}

function visibleName(source: Source, { side, schema }: Context): string {
  const isQualified = source.kind === 'table' && source.isSchemaQualified && !source.isAliased && side === 'tables'
  return isQualified ? `${schema}.${source.alias}` : source.alias
}

function tableExpression(source: Source, context: Context, isLateral = false): unknown {
  if (source.kind === 'cte') return source.isAliased ? `${source.table} as ${source.alias}` : source.table
  if (source.kind === 'table') return tableName(source, context)
  const inner: Context = isLateral ? context : { ...context, names: new Map() }
  return (eb: unknown) => buildQuery(creatorOf(eb, source.query, context), source.query, inner, 'rows').as(source.alias)
}

const VIEWS = { live: 'live', with: 'all', only: 'trashed' } as const

function tableName(source: TableSource, { side, schema }: Context): string {
  if (side === 'views') return `${schema}.${VIEWS[source.visibility]}_${source.table} as ${source.alias}`
  const name = source.isSchemaQualified ? `${schema}.${source.table}` : source.table
  return source.isAliased ? `${name} as ${source.alias}` : name
}

function addJoin(built: Select, join: Join, outer: Context, context: Context): Select {
  const isLateral = join.type === 'lateralInner' || join.type === 'lateralLeft'
  const table = tableExpression(join.source, isLateral ? context : outer, isLateral) as never
  const on = (builder: { on: (make: unknown) => unknown; onTrue: () => unknown }): unknown =>
    join.on === undefined ? builder.onTrue() : builder.on((eb: Builder) => condition(eb, join.on!, context))
  switch (join.type) {
    case 'inner':
      return built.innerJoin(table, on as never) as Select
    case 'left':
      return built.leftJoin(table, on as never) as Select
    case 'right':
      return built.rightJoin(table, on as never) as Select
    case 'full':
      return built.fullJoin(table, on as never) as Select
    case 'cross':
      return built.crossJoin(table) as Select
    case 'lateralInner':
      return built.innerJoinLateral(table, on as never) as Select
    case 'lateralLeft':
      return built.leftJoinLateral(table, on as never) as Select
  }
}

function select(built: Select, query: Query, context: Context, shape: Shape): Select {
  const column = (one: Column) => sql.ref(columnName(one, context))
  if (shape === 'count') return built.select(({ fn }) => fn.countAll().as('id'))
  const rows = shape === 'rows'
  const chosen = query.select
  switch (chosen.kind) {
    case 'columns': {
      const [id, ref, rank] = chosen.columns
      const plain = built.select([
        column(id).as('id'),
        ...(rows ? [column(ref).as('ref'), column(rank).as('rank')] : []),
      ])
      return chosen.isDistinct ? plain.distinct() : plain
    }
    case 'window': {
      const [id, ref, by] = chosen.columns
      const counted = sql`count(*) over (partition by ${column(by)})`
      return built.select([column(id).as('id'), ...(rows ? [column(ref).as('ref'), counted.as('rank')] : [])])
    }
    case 'scalars': {
      const counted = (eb: unknown) =>
        buildQuery(creatorOf(eb, chosen.query, context), chosen.query, context, 'count').as('ref')
      return built.select([
        column(chosen.column).as('id'),
        ...(rows ? [counted as never, column(chosen.rank).as('rank')] : []),
      ])
    }
    case 'groups': {
      const by = column(chosen.by)
      const counted = chosen.counted === 'rows' ? sql`count(*)` : sql`count(distinct ${column(chosen.summed)})`
      const { having } = chosen
      const grouped = built
        .select([counted.as('id'), ...(rows ? [sql`sum(${column(chosen.summed)})`.as('ref'), by.as('rank')] : [])])
        .groupBy(by as never)
      return having === undefined ? grouped : grouped.having(sql<SqlBool>`count(*) > ${sql.lit(having)}`)
    }
  }
}

function columnName({ source, name }: Column, { names }: Context): string {
  return `${names.get(source)!}.${name}`
}

function condition(eb: Builder, wanted: Condition, context: Context): Expression<SqlBool> {
  const name = (column: Column) => columnName(column, context)
  const nested = (query: Query, shape: Shape) => buildQuery(creatorOf(eb, query, context), query, context, shape)
  switch (wanted.kind) {
    case 'compare': {
      const { left, operator, right } = wanted
      return typeof right === 'number'
        ? eb(name(left), operator, sql.lit(right))
        : eb(name(left), operator, eb.ref(name(right)))
    }
    case 'null':
      return eb(name(wanted.column), wanted.isNegated ? 'is not' : 'is', null)
    case 'and':
      return eb.and(wanted.items.map((item) => condition(eb, item, context)))
    case 'or':
      return eb.or(wanted.items.map((item) => condition(eb, item, context)))
    case 'not':
      return eb.not(eb.parens(condition(eb, wanted.item, context)))
    case 'rawOr':
      return sql<SqlBool>`${sql.ref(name(wanted.left))} < ${sql.lit(wanted.value)} or ${sql.ref(name(wanted.right))} is null`
    case 'exists': {
      const exists = eb.exists(nested(wanted.query, 'rows'))
      return wanted.isNegated ? eb.not(exists) : exists
    }
    case 'in':
      return eb(name(wanted.column), 'in', nested(wanted.query, 'id') as never)
    case 'scalar':
      return eb(nested(wanted.query, 'count') as never, wanted.operator, sql.lit(wanted.value) as never)
  }
}

/** Sets the scopes, for the whole statement or by the name that the statement knows each table by. */
function scoped<B extends Select>(
  built: B,
  { scope, sources, joins }: Pick<Query, 'scope' | 'sources' | 'joins'>,
  context: Context,
): B {
  if (scope !== undefined) return scope === 'with' ? withTrashed(built) : onlyTrashed(built)
  let out = built
  for (const source of [...sources, ...joins.map((join) => join.source)]) {
    if (source.kind !== 'table' || source.visibility === 'live') continue
    const name = visibleName(source, context)
    out = source.visibility === 'with' ? withTrashed(out, name as never) : onlyTrashed(out, name as never)
  }
  return out
}

function buildWrite(plan: WritePlan, outer: Context): unknown {
  const context = withNames(outer, [plan.target, ...plan.sources, ...plan.joins.map(({ source }) => source)])
  const start = withCtes(outer.db, plan.ctes, plan.isRecursive, outer)
  const target = tableName(plan.target, outer) as never
  if (plan.kind === 'insert') {
    const query = plan.query!
    return start
      .insertInto(target)
      .columns(['id', 'ref', 'rank'] as never)
      .expression((eb) => buildQuery(creatorOf(eb, query, outer), query, outer, 'rows') as never)
      .returning(['id', 'ref', 'rank'] as never)
  }
  const sources = plan.sources.map((source) => tableExpression(source, outer)) as never
  let built = (plan.kind === 'update'
    ? start.updateTable(target).set({ rank: 9 } as never)
    : start.deleteFrom(target)) as unknown as Select & {
    from: (sources: never) => Select
    using: (sources: never) => Select
    returning: (column: unknown) => Select
  }
  if (plan.sources.length > 0)
    built = (plan.kind === 'update' ? built.from(sources) : built.using(sources)) as typeof built
  for (const join of plan.joins) built = addJoin(built, join, outer, context) as typeof built
  built = built.where((eb) => condition(eb as Builder, plan.where!, context)) as typeof built
  built = scoped(built, { ...plan, scope: undefined }, outer)
  // SQLite knows no qualified column in RETURNING, PostgreSQL needs one beside FROM.
  return built.returning(
    (outer.schema === 'main' ? sql`id` : sql.ref(columnName({ source: plan.target.alias, name: 'id' }, context))).as(
      'id',
    ),
  )
}

/** What a write should reach, asked of the views. */
function buildReach(plan: WritePlan, outer: Context): Select {
  const context = withNames(outer, [plan.target, ...plan.sources, ...plan.joins.map(({ source }) => source)])
  const start = withCtes(outer.db, plan.ctes, plan.isRecursive, outer)
  if (plan.kind === 'insert') {
    const query = plan.query!
    return start
      .selectFrom(((eb: unknown) =>
        buildQuery(creatorOf(eb, query, outer), query, outer, 'rows').as('copied')) as never)
      .selectAll() as Select
  }
  const sources = [plan.target, ...plan.sources].map((source) => tableExpression(source, outer)) as never
  let built = start.selectFrom(sources) as Select
  for (const join of plan.joins) built = addJoin(built, join, outer, context)
  return built
    .where((eb) => condition(eb as Builder, plan.where!, context))
    .select(sql.ref(columnName({ source: plan.target.alias, name: 'id' }, context)).as('id'))
    .distinct()
}
