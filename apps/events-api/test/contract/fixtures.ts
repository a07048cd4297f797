import { columnOf, type Resource } from '../../src/resources/resource.ts'
import { people, type World } from '../support/world.ts'

/** Kinds that belong to the fixtures in the order of their making; users are there already. */
const kinds = [
  'events',
  'tracks',
  'microlocations',
  'session-types',
  'sponsors',
  'speakers-calls',
  'speakers',
  'sessions',
  'event-roles',
  'tasks',
  'uploads',
  'exports',
]

/**
 * Makes one resource of each kind, each under id 1 as the sequences of a fresh database give it, all of the organiser.
 *
 * @param without - The kind that the request itself will create.
 */
export async function makeFixtures(world: World, without?: string): Promise<void> {
  for (const type of kinds) {
    const resource = world.service.registry.get(type)!
    // The request must find its own key free; an event has one call, so there the first may not be there at all.
    if (type === 'speakers-calls' && type === without) continue
    const [unique] = Object.values(resource.unique ?? {})
    const isKeyed = type === without && unique !== undefined && type !== 'event-roles'
    await insertRow(world, resource, isKeyed ? { [columnOf(unique)]: 'another' } : {})
  }
  const pair = { session_id: 1, speaker_id: 1 }
  await world.service.db.insertInto('sessions_speakers').values(pair).execute()
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
