import { sql } from 'kysely'

import type { Found } from '../jsonapi/document.ts'
import { problem } from '../jsonapi/errors.ts'
import { type IncludeTree, limits, type ReadQuery } from '../jsonapi/query.ts'
import { inverseColumn, type Registry, resourceOf } from '../resources/registry.ts'
import type { Database, Relationship, Resource, Row } from '../resources/resource.ts'
import { columnsOf } from './columns.ts'
import { beside, filtered, type Viewer, visible } from './scope.ts'
import { withTrashedRows } from './trash.ts'

/** Reads one page of a collection and the number of all that match. */
export async function readPage(
  db: Database,
  resource: Resource,
  query: ReadQuery,
  viewer: Viewer,
): Promise<{ readonly rows: readonly Row[]; readonly total: number }> {
  const { table } = resource
  const offset = (query.page.number - 1) * query.page.size
  const matching = () => filtered(visible(db.selectFrom(table), resource, viewer), resource, query.conditions, viewer)
  let page = matching()
    .select(columnsOf(resource).map((column) => `${table}.${column}`))
    // Counting in the same statement saves a round trip and sees the same snapshot.
    .select(sql<string>`count(*) over ()`.as('total'))
    .limit(query.page.size)
    .offset(offset)
  for (const { column, descending } of query.sort)
    page = page.orderBy(`${table}.${column}`, descending ? 'desc' : 'asc')
  // Ties would make pages overlap.
  const rows: readonly Row[] = await page.orderBy(`${table}.id`).execute()
  const [first] = rows
  if (first !== undefined) return { rows, total: Number(first['total']) }
  if (offset === 0) return { rows, total: 0 }
  const counted = await matching()
    .select(sql<string>`count(*)`.as('total'))
    .executeTakeFirstOrThrow()
  return { rows, total: Number(counted['total']) }
}

/**
 * Reads one row, live ones only unless told; who may see it, the caller decides.
 *
 * @param lock - Holds the row until the transaction ends: `update` against everybody, `share` against its deletion.
 */
export function readOne(
  db: Database,
  resource: Resource,
  id: number,
  options: { readonly trash?: boolean; readonly lock?: 'update' | 'share' } = {},
): Promise<Row | undefined> {
  let query = db
    .selectFrom(resource.table)
    .select(columnsOf(resource).map((column) => `${resource.table}.${column}`))
    .where(`${resource.table}.id`, '=', id)
  if (options.lock === 'update') query = query.forUpdate()
  if (options.lock === 'share') query = query.forShare()
  return (options.trash === true && resource.softDelete ? withTrashedRows(query) : query).executeTakeFirst()
}

/** Reads what `include` asks for: one statement a relationship, whatever the number of rows. */
export async function readIncluded(
  db: Database,
  registry: Registry,
  resource: Resource,
  rows: readonly Row[],
  tree: IncludeTree,
  viewer: Viewer,
): Promise<Found> {
  const all = new Map<Resource, Map<number, Row>>([[resource, byId(rows)]])
  const linkage = new Map<string, Map<number, readonly number[]>>()

  async function follow(from: Resource, sources: readonly Row[], branch: IncludeTree): Promise<void> {
    if (sources.length === 0) return
    for (const [name, next] of branch) {
      const relationship = from.relationships[name]!
      const target = resourceOf(registry, relationship.type)
      const { found, links } = await readRelated(db, registry, relationship, sources, beside(viewer))
      const known = all.get(target) ?? new Map<number, Row>()
      all.set(target, known)
      for (const row of found) if (!known.has(row['id'] as number)) known.set(row['id'] as number, row)
      const key = `${from.type}.${name}`
      linkage.set(key, new Map([...(linkage.get(key) ?? []), ...links]))
      if (next.size > 0) await follow(target, found, next)
    }
  }

  await follow(resource, rows, tree)
  // Primary data is not repeated among the included.
  const primary = all.get(resource)!
  for (const row of rows) primary.delete(row['id'] as number)
  return { resource, rows, included: all, linkage }
}

/** Reads the rows behind a relationship of many rows at once, and which belong to which. */
async function readRelated(
  db: Database,
  registry: Registry,
  relationship: Relationship,
  sources: readonly Row[],
  viewer: Viewer,
): Promise<{ readonly found: readonly Row[]; readonly links: ReadonlyMap<number, readonly number[]> }> {
  const target = resourceOf(registry, relationship.type)
  const { table } = target
  const ids = sources.map((row) => row['id'] as number)
  const links = new Map<number, number[]>(ids.map((id) => [id, []]))
  const base = visible(db.selectFrom(table), target, viewer)
    .select(columnsOf(target).map((column) => `${table}.${column}`))
    .orderBy(`${table}.id`)
    .limit(limits.included + 1)

  if (relationship.kind === 'one') {
    const wanted = [...new Set(sources.map((row) => row[relationship.column]).filter((id) => id !== null))]
    const found: readonly Row[] = wanted.length === 0 ? [] : await base.where(`${table}.id`, 'in', wanted).execute()
    const there = byId(found)
    for (const row of sources) {
      const id = row[relationship.column] as number | null
      if (id !== null && there.has(id)) links.get(row['id'] as number)!.push(id)
    }
    return { found, links }
  }

  if (relationship.kind === 'many') {
    const column = inverseColumn(target, relationship.inverse)
    const found: readonly Row[] = await base.where(`${table}.${column}`, 'in', ids).execute()
    requireBound(found, relationship.type)
    for (const row of found) links.get(row[column] as number)!.push(row['id'] as number)
    return { found, links }
  }

  const pairs = relationship.table
  const joined: readonly Row[] = await base
    .innerJoin(pairs, `${pairs}.${relationship.there}`, `${table}.id`)
    .select(`${pairs}.${relationship.here} as source_id`)
    .where(`${pairs}.${relationship.here}`, 'in', ids)
    .execute()
  requireBound(joined, relationship.type)
  for (const row of joined) links.get(row['source_id'] as number)!.push(row['id'] as number)
  return { found: [...byId(joined).values()], links }
}

function requireBound(rows: readonly Row[], type: string): void {
  if (rows.length <= limits.included) return
  throw problem(
    'invalid_parameter',
    `Expected at most ${limits.included} included \`${type}\`; follow the \`related\` link, it has pages`,
    { parameter: 'include' },
  )
}

function byId(rows: readonly Row[]): Map<number, Row> {
  return new Map(rows.map((row) => [row['id'] as number, row]))
}
