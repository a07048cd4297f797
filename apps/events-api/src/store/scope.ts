import { type ExpressionBuilder, type SelectQueryBuilder, sql } from 'kysely'

import { type MaybeActor, trashLevel } from '../access.ts'
import type { Condition } from '../jsonapi/filter.ts'
import { inverseColumn } from '../resources/registry.ts'
import type { Level, Resource, Row, Tables } from '../resources/resource.ts'
import { onlyTrashedRows, withTrashedRows } from './trash.ts'

/** Which part of a table a read sees. */
export type Trash = 'without' | 'with' | 'only'

/** Who reads, and whether the trash is part of it. */
export interface Viewer {
  readonly actor: MaybeActor
  readonly trash: Trash
}

type Select = SelectQueryBuilder<Tables, string, Row>
type Builder = ExpressionBuilder<Tables, string>

/**
 * Narrows a read to the rows that the viewer may see.
 *
 * The soft-delete plugin hides trashed rows; here is only the exception, and it holds for the viewer's own events.
 */
export function visible(query: Select, resource: Resource, viewer: Viewer): Select {
  let narrowed = within(query, resource, resource.access.read, viewer.actor)
  if (!resource.softDelete || viewer.trash === 'without') return narrowed
  const trashed = (inner: Select) => within(inner, resource, trashLevel(resource), viewer.actor)
  if (viewer.trash === 'only') return onlyTrashedRows(trashed(narrowed))
  narrowed = narrowed.where((eb) =>
    eb.or([eb(`${resource.table}.deleted_at`, 'is', null), belongs(resource, trashLevel(resource), viewer.actor)]),
  )
  return withTrashedRows(narrowed)
}

function within(query: Select, resource: Resource, level: Level, actor: MaybeActor): Select {
  if (level === 'anyone' || level === 'member' || actor?.admin === true) return query
  return query.where(belongs(resource, level, actor))
}

/** The predicate behind `stands` in `access.ts`, for many rows at once. */
function belongs(resource: Resource, level: Level, actor: MaybeActor) {
  if (actor === undefined || level === 'nobody') return sql<boolean>`false`
  if (actor.admin) return sql<boolean>`true`
  const parts = []
  if (level === 'owner' && resource.ownerColumn !== undefined) {
    parts.push(sql<boolean>`${sql.ref(`${resource.table}.${resource.ownerColumn}`)} = ${actor.id}`)
  }
  if (level !== 'admin' && resource.eventColumn !== undefined && actor.organises.size > 0) {
    const events = [...actor.organises]
    parts.push(sql<boolean>`${sql.ref(`${resource.table}.${resource.eventColumn}`)} = any(${events}::integer[])`)
  }
  return parts.length === 0 ? sql<boolean>`false` : sql<boolean>`(${sql.join(parts, sql` or `)})`
}

/** How what stands beside the rows of a read is seen: beside trashed rows alone there are live ones. */
export function beside(viewer: Viewer): Viewer {
  return viewer.trash === 'only' ? { ...viewer, trash: 'with' } : viewer
}

/** Adds the conditions of `filter`. */
export function filtered(query: Select, resource: Resource, conditions: readonly Condition[], viewer: Viewer): Select {
  let narrowed = query
  for (const condition of conditions) {
    if ('through' in condition) {
      const { table, here, there } = condition.through
      narrowed = narrowed.where(`${resource.table}.id`, 'in', (eb: Builder) =>
        eb.selectFrom(table).select(`${table}.${here}`).where(`${table}.${there}`, '=', condition.id),
      )
    } else if ('search' in condition) {
      const { table, column } = condition.search
      narrowed = narrowed.where(`${resource.table}.id`, 'in', (eb: Builder) =>
        eb
          .selectFrom(table)
          .select(`${table}.${column}`)
          .where(sql<boolean>`${sql.ref(`${table}.words`)} @@ plainto_tsquery('simple', ${condition.words})`),
      )
    } else if ('linked' in condition) {
      narrowed = narrowed.where((eb) => linkedTo(eb, resource, condition, viewer))
    } else {
      const operator = condition.value === null && condition.operator === '=' ? 'is' : condition.operator
      narrowed = narrowed.where(`${resource.table}.${condition.column}`, operator, condition.value)
    }
  }
  return narrowed
}

/**
 * Rows that are linked to one that the viewer may see. Whether they are linked to one in the trash, or to somebody's
 * private row, is not for others to find out.
 */
function linkedTo(
  eb: Builder,
  resource: Resource,
  { linked, target, id }: Extract<Condition, { readonly linked: unknown }>,
  viewer: Viewer,
) {
  const row = `${resource.table}.id`
  const there = (column: string) =>
    visible(eb.selectFrom(target.table), target, beside(viewer))
      .select(`${target.table}.${column}`)
      .where(`${target.table}.id`, '=', id)
  if (linked.kind === 'one') return eb(`${resource.table}.${linked.column}`, 'in', there('id'))
  if (linked.kind === 'many') return eb(row, 'in', there(inverseColumn(target, linked.inverse)))
  const { table } = linked
  return eb(
    row,
    'in',
    eb.selectFrom(table).select(`${table}.${linked.here}`).where(`${table}.${linked.there}`, 'in', there('id')),
  )
}
