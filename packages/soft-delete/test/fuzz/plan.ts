import type { Visibility } from '../../src/scopes.ts'

/** A query as data, so that it can be built twice: on the tables with the plugin, and on views without it. */
export type Plan = { readonly kind: 'select'; readonly query: Query } | WritePlan

export interface WritePlan {
  readonly kind: 'update' | 'delete' | 'insert'
  readonly ctes: readonly Cte[]
  readonly isRecursive: boolean
  readonly target: TableSource
  readonly sources: readonly Source[]
  readonly joins: readonly Join[]
  readonly where: Condition | undefined
  /** What an insert copies. */
  readonly query: Query | undefined
}

/** Every query yields three numbers, named as the columns of every table: id, ref, rank. */
export interface Query {
  readonly ctes: readonly Cte[]
  readonly isRecursive: boolean
  readonly sources: readonly Source[]
  readonly joins: readonly Join[]
  readonly where: Condition | undefined
  readonly select: Select
  readonly arms: readonly Arm[]
  readonly limit: number | undefined
  /** Built from the plugged instance, which transforms it once before it is embedded, or from the builder around it. */
  readonly isFromDb: boolean
  /** Whether the scope is set for the whole statement rather than by reference. */
  readonly scope: Visibility | undefined
}

export interface Cte {
  readonly name: string
  readonly query: Query
}

export interface Arm {
  readonly operator: 'union' | 'unionAll' | 'intersect' | 'except'
  readonly query: Query
}

export interface TableSource {
  readonly kind: 'table'
  readonly table: string
  readonly alias: string
  /** Whether the alias is written; else the table is known by its own name. */
  readonly isAliased: boolean
  readonly isSchemaQualified: boolean
  readonly visibility: Visibility
}

export type Source =
  | TableSource
  | { readonly kind: 'cte'; readonly table: string; readonly alias: string; readonly isAliased: boolean }
  | { readonly kind: 'derived'; readonly query: Query; readonly alias: string }

export interface Join {
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross' | 'lateralInner' | 'lateralLeft'
  readonly source: Source
  readonly on: Condition | undefined
}

/** A column by source alias and name. */
export interface Column {
  readonly source: string
  readonly name: 'id' | 'ref' | 'rank'
}

export type Condition =
  | { readonly kind: 'compare'; readonly left: Column; readonly operator: Operator; readonly right: Column | number }
  | { readonly kind: 'null'; readonly column: Column; readonly isNegated: boolean }
  | { readonly kind: 'and' | 'or'; readonly items: readonly Condition[] }
  | { readonly kind: 'not'; readonly item: Condition }
  /** `a or b` in one raw fragment, without parentheses. */
  | { readonly kind: 'rawOr'; readonly left: Column; readonly right: Column; readonly value: number }
  | { readonly kind: 'exists'; readonly query: Query; readonly isNegated: boolean }
  | { readonly kind: 'in'; readonly column: Column; readonly query: Query }
  | { readonly kind: 'scalar'; readonly query: Query; readonly operator: Operator; readonly value: number }

export type Operator = '=' | '<>' | '<' | '>='

export type Select =
  | { readonly kind: 'columns'; readonly columns: readonly [Column, Column, Column]; readonly isDistinct: boolean }
  | { readonly kind: 'window'; readonly columns: readonly [Column, Column, Column] }
  | { readonly kind: 'scalars'; readonly column: Column; readonly query: Query; readonly rank: Column }
  | {
      readonly kind: 'groups'
      readonly by: Column
      readonly summed: Column
      readonly counted: 'rows' | 'distinct'
      readonly having: number | undefined
    }
