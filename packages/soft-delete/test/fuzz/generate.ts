import type { Visibility } from '../../src/scopes.ts'
import type { Arm, Column, Condition, Cte, Join, Operator, Plan, Query, Select, Source, TableSource } from './plan.ts'
import { Random } from './random.ts'

/** Tables that are soft-deletable, and one that is not. */
export const CONFIGURED = ['events', 'sessions', 'rooms'] as const
export const TABLES = [...CONFIGURED, 'people'] as const

const OPERATORS: readonly Operator[] = ['=', '<>', '<', '>=']
const NAMES = ['id', 'ref', 'rank'] as const

/** Rows of a table, roughly; and the most that the sources of a query may multiply to, by its depth. */
const TABLE_SIZE = 4
const BUDGETS = [250, 60, 25, 12]

/** What the database under test can do. */
export interface Abilities {
  readonly lateral: boolean
  /** Whether FULL JOIN takes nothing but an equality of two columns. */
  readonly fullJoinNeedsEquality: boolean
  /** The schema of the tables, by which they can be reached past a CTE of the same name. */
  readonly schema: string
  /** Whether a CTE may read a table of its own name: not in SQLite, where it is a circle. */
  readonly cteMayReadNamesake: boolean
  readonly deleteUsing: boolean
}

/** What is in reach where a part of a query is made. */
interface Reach {
  readonly depth: number
  /** CTEs by name with their size, `undefined` for names that are taken but cannot be read here. */
  readonly ctes: ReadonlyMap<string, number | undefined>
  /** Columns of the queries around, for correlation. */
  readonly outer: readonly string[]
  readonly isFromDb: boolean
}

/** Makes the query that belongs to a seed. */
export function generatePlan(seed: number, abilities: Abilities): Plan {
  return new Generator(new Random(seed), abilities).plan()
}

class Generator {
  readonly #random: Random
  readonly #abilities: Abilities
  readonly #sizes = new WeakMap<Source | Query, number>()
  #aliases = 0

  constructor(random: Random, abilities: Abilities) {
    this.#random = random
    this.#abilities = abilities
  }

  plan(): Plan {
    const reach: Reach = { depth: 0, ctes: new Map(), outer: [], isFromDb: false }
    const dice = this.#random.below(100)
    if (dice < 82) return { kind: 'select', query: this.#query(reach, { mayLimit: true }) }
    const kind = dice < 89 ? 'update' : dice < 95 ? 'delete' : 'insert'
    return this.#write(kind, reach)
  }

  #write(kind: 'update' | 'delete' | 'insert', outer: Reach): Plan {
    const { ctes, reach, isRecursive } = this.#ctes(outer, 20, CONFIGURED)
    if (kind === 'insert') {
      const target = this.#table('sink', 'live')
      const query = this.#query({ ...reach, depth: 1 }, { mayCte: false })
      return { kind, ctes, isRecursive, target, sources: [], joins: [], where: undefined, query }
    }
    const name = this.#random.pick(CONFIGURED)
    const target = this.#table(name, 'live', this.#random.chance(50) ? this.#alias([]) : undefined)
    const hasSources = (kind === 'update' || this.#abilities.deleteUsing) && this.#random.chance(55)
    const sources = hasSources ? [this.#source(reach, [target.alias])] : []
    const taken = [target.alias, ...sources.map(({ alias }) => alias)]
    // The target is no part of the joins: only the items before may be named in their conditions.
    const hasJoin = hasSources && this.#random.chance(40)
    const joins = hasJoin ? [this.#join(reach, taken.slice(1), taken, ['inner', 'left'])] : []
    const all = [...taken, ...joins.map(({ source }) => source.alias)]
    return { kind, ctes, isRecursive, target, sources, joins, where: this.#condition(reach, all, 0), query: undefined }
  }

  #query(outer: Reach, { mayCte = true, mayArm = true, mayLimit = false } = {}): Query {
    const hasCtes = mayCte && outer.depth < 3 && this.#random.chance(outer.depth === 0 ? 30 : 12)
    // Kysely's expression builder has no with(): a nested query with CTEs is built from the database.
    const start = hasCtes && outer.depth > 0 ? fromDb(outer) : outer
    const { ctes, reach, isRecursive } = hasCtes
      ? this.#ctes(start, 60)
      : { ctes: [], reach: start, isRecursive: false }
    const scope = this.#random.chance(8) ? this.#random.pick(['with', 'only'] as const) : undefined
    const sources: Source[] = [this.#source(reach, [], scope)]
    let size = this.#sizeOf(sources[0]!)
    const budget = BUDGETS[outer.depth] ?? TABLE_SIZE
    const fits = (source: Source) => size * this.#sizeOf(source) <= budget
    if (this.#random.chance(18)) {
      const source = this.#source(reach, aliasesOf(sources), scope)
      if (fits(source)) {
        sources.push(source)
        size *= this.#sizeOf(source)
      }
    }
    const joins: Join[] = []
    while (joins.length < 3 && this.#random.chance(48)) {
      const joined = joins.map(({ source }) => source.alias)
      // PostgreSQL's joins see the last item of FROM only.
      const left = [sources.at(-1)!.alias, ...joined]
      const join = this.#join(reach, left, [...aliasesOf(sources), ...joined], undefined, scope)
      if (!fits(join.source)) break
      joins.push(join)
      size *= join.on?.kind === 'compare' ? 2 : this.#sizeOf(join.source)
    }
    const own = [...aliasesOf(sources), ...joins.map(({ source }) => source.alias)]
    const where = this.#random.chance(65) ? this.#condition(reach, own, 0) : undefined
    const select = this.#select(reach, own)
    const arms: Arm[] = []
    while (mayArm && arms.length < 2 && outer.depth < 2 && this.#random.chance(14)) arms.push(this.#arm(reach))
    const limit = mayLimit && this.#random.chance(10) ? 1 + this.#random.below(4) : undefined
    const query: Query = {
      ctes,
      isRecursive,
      sources,
      joins,
      where,
      select,
      arms,
      limit,
      isFromDb: start.isFromDb,
      scope,
    }
    const rows = select.kind === 'groups' ? Math.min(size, TABLE_SIZE) : size
    this.#sizes.set(
      query,
      arms.reduce((sum, arm) => sum + this.#sizes.get(arm.query)!, rows),
    )
    return query
  }

  #ctes(
    outer: Reach,
    percent: number,
    barred: readonly string[] = [],
  ): { ctes: Cte[]; reach: Reach; isRecursive: boolean } {
    const ctes: Cte[] = []
    const isRecursive = this.#random.chance(30)
    let reach = outer
    while (ctes.length < 2 && this.#random.chance(percent)) {
      const name = this.#random.chance(45) ? this.#random.pick(TABLES) : `cte${this.#aliases++}`
      if (ctes.some((cte) => cte.name === name) || barred.includes(name)) continue
      // In a recursive WITH, and in SQLite in any, a name of this list already means the CTE: keep clear of it.
      const isHidden = isRecursive || !this.#abilities.cteMayReadNamesake
      const hidden = isHidden ? { ...reach, ctes: new Map(reach.ctes).set(name, undefined) } : reach
      const query =
        isRecursive && this.#random.chance(50)
          ? this.#closure(name, hidden)
          : this.#query({ ...this.#nested(hidden, []), outer: [] })
      if (isHidden && ctes.some((cte) => reads(cte.query, name))) continue
      ctes.push({ name, query })
      reach = { ...reach, ctes: new Map(reach.ctes).set(name, this.#sizes.get(query)!) }
    }
    return { ctes, reach, isRecursive: isRecursive && ctes.length > 0 }
  }

  /** Rows of a table, and those they lead to; ends, since UNION drops what was seen. */
  #closure(name: string, reach: Reach): Query {
    const base = {
      ctes: [],
      isRecursive: false,
      joins: [],
      arms: [],
      limit: undefined,
      isFromDb: false,
      scope: undefined,
    }
    const [start, step] = [this.#tableOf(reach, []), this.#tableOf(reach, [name])]
    const columns = (source: string) =>
      [
        { source, name: 'id' },
        { source, name: 'ref' },
        { source, name: 'rank' },
      ] as const
    const on: Condition = {
      kind: 'compare',
      left: { source: step.alias, name: 'id' },
      operator: '=',
      right: { source: name, name: 'ref' },
    }
    const self: Source = { kind: 'cte', table: name, alias: name, isAliased: false }
    const next: Query = {
      ...base,
      sources: [step],
      joins: [{ type: 'inner', source: self, on }],
      where: undefined,
      select: { kind: 'columns', columns: columns(step.alias), isDistinct: false },
    }
    const query: Query = {
      ...base,
      sources: [start],
      where: this.#rawOr([start.alias]),
      select: { kind: 'columns', columns: columns(start.alias), isDistinct: false },
      arms: [{ operator: 'union', query: next }],
    }
    this.#sizes.set(query, TABLE_SIZE)
    return query
  }

  #nested(outer: Reach, aliases: readonly string[]): Reach {
    const reach = this.#random.chance(35) ? fromDb(outer) : { ...outer, isFromDb: false }
    return { ...reach, depth: outer.depth + 1, outer: [...outer.outer, ...aliases] }
  }

  #source(reach: Reach, taken: readonly string[], scope?: Visibility): Source {
    const readable = [...reach.ctes].filter(([, size]) => size !== undefined).map(([name]) => name)
    if (readable.length > 0 && this.#random.chance(45)) {
      const table = this.#random.pick(readable)
      const isAliased = taken.includes(table) || this.#random.chance(40)
      const source: Source = { kind: 'cte', table, alias: isAliased ? this.#alias(taken) : table, isAliased }
      this.#sizes.set(source, reach.ctes.get(table)!)
      return source
    }
    if (reach.depth < 3 && this.#random.chance(12)) {
      return {
        kind: 'derived',
        query: this.#query({ ...this.#nested(reach, []), outer: [] }),
        alias: this.#alias(taken),
      }
    }
    return this.#tableOf(reach, taken, scope)
  }

  #tableOf(reach: Reach, taken: readonly string[], scope?: Visibility): TableSource {
    const table = this.#random.pick(TABLES)
    const visibility = scope ?? (this.#random.chance(12) ? this.#random.pick(['with', 'only'] as const) : 'live')
    const isAliased = taken.includes(table) || this.#random.chance(50)
    return this.#table(table, visibility, isAliased ? this.#alias(taken) : undefined, reach.ctes.has(table))
  }

  #table(table: string, visibility: Visibility, alias?: string, mustQualify = false): TableSource {
    return {
      kind: 'table',
      table,
      alias: alias ?? table,
      isAliased: alias !== undefined,
      isSchemaQualified: mustQualify || this.#random.chance(15),
      visibility: CONFIGURED.some((name) => name === table) ? visibility : 'live',
    }
  }

  /** An alias may be the name of another table: the table behind it decides. */
  #alias(taken: readonly string[]): string {
    const name = this.#random.pick(TABLES)
    return this.#random.chance(8) && !taken.includes(name) ? name : `t${this.#aliases++}`
  }

  #join(
    reach: Reach,
    left: readonly string[],
    taken: readonly string[],
    types?: readonly Join['type'][],
    scope?: Visibility,
  ): Join {
    const all: readonly Join['type'][] = types ?? [
      'inner',
      'inner',
      'left',
      'left',
      'left',
      'right',
      'right',
      'full',
      'cross',
      ...(this.#abilities.lateral ? (['lateralInner', 'lateralLeft'] as const) : []),
    ]
    const type = this.#random.pick(all)
    if (type === 'lateralInner' || type === 'lateralLeft') {
      const query = this.#query({ ...this.#nested(reach, []), outer: left, depth: Math.max(2, reach.depth + 1) })
      return { type, source: { kind: 'derived', query, alias: this.#alias(taken) }, on: undefined }
    }
    const source = this.#source(reach, taken, scope)
    const equality: Condition = {
      kind: 'compare',
      left: { source: this.#random.pick(left), name: this.#random.pick(NAMES) },
      operator: '=',
      right: { source: source.alias, name: this.#random.pick(NAMES) },
    }
    if (type === 'cross') return { type, source, on: undefined }
    if (type === 'full' && this.#abilities.fullJoinNeedsEquality) return { type, source, on: equality }
    if (this.#random.chance(60)) return { type, source, on: equality }
    const both = [...left, source.alias]
    return { type, source, on: this.#random.chance(40) ? this.#rawOr(both) : this.#condition(reach, both, 1) }
  }

  #condition(reach: Reach, own: readonly string[], depth: number): Condition {
    const columns = this.#random.chance(15) && reach.outer.length > 0 ? [...own, ...reach.outer] : own
    const dice = this.#random.below(100)
    if (depth < 2 && dice < 14)
      return { kind: 'and', items: [this.#condition(reach, own, depth + 1), this.#condition(reach, own, depth + 1)] }
    if (depth < 2 && dice < 26)
      return { kind: 'or', items: [this.#condition(reach, own, depth + 1), this.#condition(reach, own, depth + 1)] }
    if (depth < 2 && dice < 31) return { kind: 'not', item: this.#condition(reach, own, depth + 1) }
    if (dice < 43) return this.#rawOr(columns)
    if (reach.depth < 3 && dice < 62) return this.#subquery(reach, own)
    if (dice < 70) return { kind: 'null', column: this.#column(columns), isNegated: this.#random.chance(50) }
    const right = this.#random.chance(60) ? this.#random.below(6) : this.#column(columns)
    return { kind: 'compare', left: this.#column(columns), operator: this.#random.pick(OPERATORS), right }
  }

  #rawOr(columns: readonly string[]): Condition {
    return { kind: 'rawOr', left: this.#column(columns), right: this.#column(columns), value: this.#random.below(5) }
  }

  #subquery(reach: Reach, own: readonly string[]): Condition {
    const query = this.#query(this.#nested(reach, own))
    const dice = this.#random.below(3)
    if (dice === 0) return { kind: 'exists', query, isNegated: this.#random.chance(40) }
    if (dice === 1) return { kind: 'in', column: this.#column(own), query }
    return { kind: 'scalar', query, operator: this.#random.pick(OPERATORS), value: this.#random.below(5) }
  }

  #select(reach: Reach, own: readonly string[]): Select {
    const dice = this.#random.below(100)
    if (dice < 16) {
      const having = this.#random.chance(40) ? this.#random.below(4) : undefined
      const counted = this.#random.chance(60) ? 'rows' : 'distinct'
      return { kind: 'groups', by: this.#column(own), summed: this.#column(own), counted, having }
    }
    if (dice < 26 && reach.depth < 3) {
      const query = this.#query(this.#nested(reach, own))
      return { kind: 'scalars', column: this.#column(own), query, rank: this.#column(own) }
    }
    const columns = [this.#column(own), this.#column(own), this.#column(own)] as const
    if (dice < 34) return { kind: 'window', columns }
    return { kind: 'columns', columns, isDistinct: this.#random.chance(10) }
  }

  #arm(reach: Reach): Arm {
    const operator = this.#random.pick(['union', 'unionAll', 'intersect', 'except'] as const)
    // Kysely puts no parentheses around an arm: one with a WITH or with arms of its own would be another query.
    const nested = { ...this.#nested(reach, []), outer: reach.outer }
    return { operator, query: this.#query(nested, { mayCte: false, mayArm: false }) }
  }

  #sizeOf(source: Source): number {
    if (source.kind === 'table') return TABLE_SIZE
    return Math.max(1, this.#sizes.get(source.kind === 'derived' ? source.query : source) ?? TABLE_SIZE)
  }

  #column(sources: readonly string[]): Column {
    return { source: this.#random.pick(sources), name: this.#random.pick(NAMES) }
  }
}

/** A query built from the database does not know the CTEs around it, so there it must not come across their names. */
function fromDb(reach: Reach): Reach {
  return { ...reach, isFromDb: true, ctes: new Map([...reach.ctes.keys()].map((name) => [name, undefined])) }
}

function aliasesOf(sources: readonly Source[]): string[] {
  return sources.map(({ alias }) => alias)
}

/** Whether a query reads the real table of this name anywhere. */
function reads(query: Query, name: string): boolean {
  return JSON.stringify(query).includes(`"kind":"table","table":"${name}"`)
}
