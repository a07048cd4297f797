import { Kysely, type KyselyPlugin } from 'kysely'

import { type Built, buildPlan, type Tables } from './build.ts'
import type { FuzzDatabase } from './engines.ts'
import { CONFIGURED, generatePlan } from './generate.ts'
import type { Plan } from './plan.ts'
import type { softDeleteDialect } from '../../src/dialect/dialect.ts'
import { TRASH } from './engines.ts'

/** A query whose two sides differ, with all that is needed to look at it. */
export interface Mismatch {
  readonly seed: number
  readonly sql: string
  readonly expected: string
  readonly got: string
}

export interface FuzzResult {
  readonly queries: number
  /** Queries that the database refused on both sides, with the same error. */
  readonly refused: number
  readonly mismatches: readonly Mismatch[]
  /** Queries that used each feature. */
  readonly features: ReadonlyMap<string, number>
}

export interface FuzzOptions {
  readonly queries: number
  readonly seed: number
  readonly plugin: KyselyPlugin
  readonly wrap: typeof softDeleteDialect
  /** Mismatches after which it stops. @default 1 */
  readonly stopAfter?: number
  readonly onProgress?: (done: number) => void
}

/** Runs generated queries on the tables with the plugin and on the views without it, and compares the rows. */
export async function fuzz(database: FuzzDatabase, options: FuzzOptions): Promise<FuzzResult> {
  const { queries, plugin, wrap, stopAfter = 1 } = options
  const plugged = new Kysely<Tables>({ dialect: wrap(database.dialect, TRASH), plugins: [plugin] })
  const features = new Map<string, number>()
  const mismatches: Mismatch[] = []
  let refused = 0
  let done = 0
  for (; done < queries && mismatches.length < stopAfter; done++) {
    const seed = (Math.imul(options.seed, 0x9e3779b1) + done) >>> 0
    const plan = generatePlan(seed, database.abilities)
    for (const feature of featuresOf(plan)) features.set(feature, (features.get(feature) ?? 0) + 1)
    const expected = await rowsOf(() => buildPlan(plan, database.plain, 'views', database.abilities.schema))
    const got = await runTables(plan, plugged, database.abilities.schema)
    if (expected === got && expected.startsWith('error')) refused++
    if (expected !== got)
      mismatches.push({ seed, sql: compile(plan, plugged, database.abilities.schema), expected, got })
    if (done % 1000 === 999) options.onProgress?.(done + 1)
  }
  return { queries: done, refused, mismatches, features }
}

class Rollback extends Error {
  readonly rows: string

  constructor(rows: string) {
    super('rolled back')
    this.rows = rows
  }
}

async function runTables(plan: Plan, db: Kysely<Tables>, schema: string): Promise<string> {
  if (plan.kind === 'select') return rowsOf(() => buildPlan(plan, db, 'tables', schema))
  try {
    return await db.transaction().execute(async (trx) => {
      throw new Rollback(await rowsOf(() => buildPlan(plan, trx, 'tables', schema)))
    })
  } catch (error) {
    if (error instanceof Rollback) return error.rows
    throw error
  }
}

async function rowsOf(build: () => Built): Promise<string> {
  try {
    const rows = await build().execute()
    return rows
      .map(({ id, ref, rank }) => [id, ref, rank].map(text).join(','))
      .toSorted()
      .join(' ')
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    return `error ${code ?? message}`
  }
}

/** Drivers give sums as strings. */
function text(value: unknown): string {
  return value === null || value === undefined ? '-' : String(Number(value))
}

function compile(plan: Plan, db: Kysely<Tables>, schema: string): string {
  try {
    return buildPlan(plan, db, 'tables', schema).compile().sql
  } catch (error) {
    return String(error)
  }
}

function featuresOf(plan: Plan): Set<string> {
  const features = new Set<string>([plan.kind === 'select' ? 'select' : `write: ${plan.kind}`])
  let depth = 0
  const visit = (value: unknown, level: number): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, level)
    if (typeof value !== 'object' || value === null) return
    const node = value as Record<string, unknown>
    const isQuery = 'arms' in node
    if (isQuery) depth = Math.max(depth, level)
    for (const feature of featuresOfNode(node)) features.add(feature)
    for (const child of Object.values(node)) visit(child, isQuery ? level + 1 : level)
  }
  visit(plan, 0)
  return features.add(`nesting depth ${depth}`)
}

function* featuresOfNode(node: Record<string, unknown>): Generator<string> {
  const { kind, type, operator, alias, isAliased } = node
  if ('on' in node) yield `join: ${String(type)}`
  if (typeof operator === 'string' && 'query' in node && !('value' in node)) yield `set operation: ${operator}`
  if (kind === 'table') {
    yield CONFIGURED.some((name) => name === node['table']) ? 'configured table' : 'other table'
    if (isAliased === true)
      yield CONFIGURED.some((name) => name === alias) ? 'alias named like a configured table' : 'alias'
    if (node['isSchemaQualified'] === true) yield 'schema-qualified table'
    if (node['visibility'] !== 'live') yield node['visibility'] === 'with' ? 'withTrashed' : 'onlyTrashed'
  }
  if (kind === 'cte')
    yield CONFIGURED.some((name) => name === node['table'])
      ? 'reference to a CTE named like a table'
      : 'reference to a CTE'
  if (kind === 'groups' || kind === 'window') yield kind === 'groups' ? 'aggregate with GROUP BY' : 'window function'
  if (kind === 'scalars' || kind === 'scalar') yield 'scalar subquery'
  if (kind === 'exists' || kind === 'in' || kind === 'rawOr' || kind === 'or' || kind === 'derived')
    yield NAMES_OF_KINDS[kind]
  if (node['isRecursive'] === true) yield 'WITH RECURSIVE'
  if (node['isFromDb'] === true) yield 'query built from the database (transformed twice)'
  if (Array.isArray(node['sources']) && node['sources'].length > 1) yield 'comma FROM'
}

const NAMES_OF_KINDS = {
  exists: 'EXISTS',
  in: 'IN (subquery)',
  rawOr: 'raw OR without parentheses',
  or: 'OR',
  derived: 'derived table',
} as const
