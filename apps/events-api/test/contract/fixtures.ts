import { columnOf, type Resource } from '../../src/resources/resource.ts'
import { people, type World } from '../support/world.ts'

/**
 * Makes one resource of a type and what it links to, each under id 1 as the sequences of a fresh database give it, all
 * of the organiser. Users are there already.
 *
 * @param made - Types that are there; grows.
 * @param free - The type that the request itself will create: then the key of the example stays free.
 */
export async function makeFixture(world: World, type: string, made: Set<string>, free?: string): Promise<void> {
  const resource = world.service.registry.get(type)
  if (resource === undefined || type === 'users' || made.has(type)) return
  made.add(type)
  for (const relationship of Object.values(resource.relationships)) {
    if (relationship.kind === 'one') await makeFixture(world, relationship.type, made, free)
  }
  // An event has one call; there the first may not be there at all.
  if (type === 'speakers-calls' && type === free) return
  const [unique] = Object.values(resource.unique ?? {})
  const isKeyed = type === free && unique !== undefined && type !== 'event-roles'
  await insertRow(world, resource, isKeyed ? { [columnOf(unique)]: 'another' } : {})
}

/** Inserts a row made of the attributes' examples. */
export async function insertRow(world: World, resource: Resource, more: Record<string, unknown> = {}): Promise<number> {
  const values: Record<string, unknown> = {}
  for (const [name, attribute] of Object.entries(resource.attributes)) values[columnOf(name)] = attribute.example
  for (const relationship of Object.values(resource.relationships)) {
    if (relationship.kind === 'one') values[relationship.column] = relationship.type === 'users' ? people.organiser : 1
  }
  const row = await world.service.db
    .withoutPlugins()
    .insertInto(resource.table)
    .values({ ...values, ...more })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row['id'] as number
}
