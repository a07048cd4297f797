import { eventRoles } from './event-roles.ts'
import { events } from './events.ts'
import { exports } from './exports.ts'
import { microlocations } from './microlocations.ts'
import type { Resource } from './resource.ts'
import { sessionTypes } from './session-types.ts'
import { sessions } from './sessions.ts'
import { speakers } from './speakers.ts'
import { speakersCalls } from './speakers-calls.ts'
import { sponsors } from './sponsors.ts'
import { tasks } from './tasks.ts'
import { tracks } from './tracks.ts'
import { uploads } from './uploads.ts'
import { users } from './users.ts'

/** All resources, in the order of the documentation. Adding one: its file, and its name here. */
export const resources: readonly Resource[] = [
  events,
  sessions,
  speakers,
  tracks,
  microlocations,
  sessionTypes,
  sponsors,
  speakersCalls,
  users,
  eventRoles,
  uploads,
  exports,
  tasks,
]

/** Resources by type. Built once a service, so that a test can serve resources of its own. */
export type Registry = ReadonlyMap<string, Resource>

/**
 * Checks that the resources fit together.
 *
 * @throws TypeError when a relationship names a resource or an inverse that is not there.
 */
export function createRegistry(list: readonly Resource[] = resources): Registry {
  const registry = new Map(list.map((resource) => [resource.type, resource]))
  for (const resource of list) {
    for (const [name, relationship] of Object.entries(resource.relationships)) {
      const at = `${resource.type}.${name}`
      const target = registry.get(relationship.type)
      if (target === undefined) throw new TypeError(`Expected ${at} to name a resource, got \`${relationship.type}\``)
      if (relationship.kind === 'many' && target.relationships[relationship.inverse]?.kind !== 'one') {
        throw new TypeError(`Expected ${at} to name a to-one relationship, got \`${relationship.inverse}\``)
      }
      if (name in resource.attributes) throw new TypeError(`Expected ${at} to differ from each attribute`)
    }
  }
  return registry
}

/**
 * The resource of a type that is known to exist.
 *
 * @throws TypeError when it does not: a programming mistake, since {@link createRegistry} checked the links.
 */
export function resourceOf(registry: Registry, type: string): Resource {
  const resource = registry.get(type)
  if (resource === undefined) throw new TypeError(`Expected a resource, got \`${type}\``)
  return resource
}

/** The column behind the other side of a to-many relationship. @throws TypeError as {@link resourceOf} */
export function inverseColumn(target: Resource, inverse: string): string {
  const relationship = target.relationships[inverse]
  if (relationship?.kind !== 'one')
    throw new TypeError(`Expected \`${target.type}.${inverse}\` to be a to-one relationship`)
  return relationship.column
}
