import type { Actor, Enqueue, Resource, Row, ToOne, Tx } from '../resources/resource.ts'
import { columnOf } from '../resources/resource.ts'
import { type Registry, resourceOf } from '../resources/registry.ts'
import { requireLevel } from '../access.ts'
import { problem } from '../jsonapi/errors.ts'
import type { Changes } from '../jsonapi/changes.ts'
import { columnsOf } from './columns.ts'
import { readOne } from './read.ts'

/**
 * Creates a row with its links.
 *
 * Holds each row that it names until the commit, so that nobody trashes a parent meanwhile.
 *
 * @throws {@link ApiError} 404 when a named resource is not there or in the trash, 403, 409, 422.
 */
export async function createRow(
  tx: Tx,
  registry: Registry,
  resource: Resource,
  changes: Changes,
  actor: Actor,
  enqueue: Enqueue,
): Promise<Row> {
  const values: Record<string, unknown> = columnValues(resource, changes)
  if (resource.relationships['owner'] !== undefined) values['owner_id'] = actor.id
  await requireReferences(tx, registry, resource, values, namedBy(changes))
  requireLevel(actor, resource.access.create, resource, values)
  requireSense(resource, values)
  const row: Row = await tx
    .insertInto(resource.table)
    .values(values)
    .returning(columnsOf(resource))
    .executeTakeFirstOrThrow()
  await writePairs(tx, resource, row, changes)
  return (await resource.afterCreate?.(tx, row, actor, enqueue)) ?? row
}

/**
 * Changes a row that the caller has locked.
 *
 * @param named - What has to be there; where a change takes links away or keeps what was, that is less than it writes.
 * @throws {@link ApiError} 404, 409, 422 as {@link createRow}.
 */
export async function updateRow(
  tx: Tx,
  registry: Registry,
  resource: Resource,
  row: Row,
  changes: Changes,
  named: readonly Named[] = namedBy(changes),
): Promise<Row> {
  const values = columnValues(resource, changes)
  const next = { ...row, ...values }
  await requireReferences(tx, registry, resource, next, named)
  requireSense(resource, next)
  await writePairs(tx, resource, row, changes)
  // A change of links alone is a change of the resource: its version moves on.
  const touched = Object.keys(values).length > 0 ? values : { updated_at: new Date() }
  return tx
    .updateTable(resource.table)
    .set(touched)
    .where('id', '=', row['id'])
    .returning(columnsOf(resource))
    .executeTakeFirstOrThrow()
}

function columnValues(resource: Resource, changes: Changes): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(changes.attributes)) {
    const isInstant = resource.attributes[name]?.kind === 'instant' && typeof value === 'string'
    values[columnOf(name)] = isInstant ? new Date(value) : value
  }
  for (const [name, id] of Object.entries(changes.references)) {
    values[(resource.relationships[name] as ToOne).column] = id
  }
  return values
}

function requireSense(resource: Resource, values: Row): void {
  const fault = resource.check?.(values)
  if (fault === undefined) return
  throw problem('invalid_value', fault.detail, { pointer: `/data/attributes/${fault.attribute}` })
}

/** A resource that a request names, and where. */
export interface Named {
  readonly relationship: string
  readonly id: number
  readonly pointer: string
}

/** What a resource document names. */
function namedBy(changes: Changes): Named[] {
  const at = (relationship: string) => `/data/relationships/${relationship}/data`
  return [
    ...Object.entries(changes.references).flatMap(([relationship, id]) =>
      id === null ? [] : [{ relationship, id, pointer: at(relationship) }],
    ),
    ...Object.entries(changes.pairs).flatMap(([relationship, ids]) =>
      ids.map((id, index) => ({ relationship, id, pointer: `${at(relationship)}/${index}` })),
    ),
  ]
}

/** Each named resource must be live and, where both belong to an event, of the same one. */
async function requireReferences(
  tx: Tx,
  registry: Registry,
  resource: Resource,
  values: Row,
  named: readonly Named[],
): Promise<void> {
  for (const { relationship, id, pointer } of named) {
    const target = resourceOf(registry, resource.relationships[relationship]!.type)
    const row = await readOne(tx, target, id, { lock: 'share' })
    if (row === undefined)
      throw problem('not_found', `Expected an existing resource of \`${target.type}\``, { pointer })
    const { eventColumn } = target
    if (eventColumn === undefined || eventColumn === 'id' || resource.eventColumn === undefined) continue
    if (row[eventColumn] !== values[resource.eventColumn]) {
      throw problem('invalid_value', `Expected a ${target.singular} of the same event`, { pointer })
    }
  }
}

async function writePairs(tx: Tx, resource: Resource, row: Row, changes: Changes): Promise<void> {
  for (const [name, ids] of Object.entries(changes.pairs)) {
    const relationship = resource.relationships[name]!
    if (relationship.kind !== 'through') continue
    const { table, here, there } = relationship
    await tx.deleteFrom(table).where(here, '=', row['id']).execute()
    if (ids.length === 0) continue
    await tx
      .insertInto(table)
      .values([...new Set(ids)].map((id) => ({ [here]: row['id'], [there]: id })))
      .execute()
  }
}
