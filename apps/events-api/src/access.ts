import type { Actor, Level, Resource, Row } from './resources/resource.ts'
import { problem } from './jsonapi/errors.ts'

/** The person behind a request, `undefined` without a session. */
export type MaybeActor = Actor | undefined

/** Insists on a session. @throws {@link ApiError} 401 */
export function requireActor(actor: MaybeActor): Actor {
  if (actor !== undefined) return actor
  throw problem(
    'unauthenticated',
    'Expected a session: sign in at `POST /login`, send its token as `Bearer`',
    undefined,
    {
      headers: { 'www-authenticate': 'Bearer' },
    },
  )
}

/** Tells whether somebody stands at a level towards a row. */
export function stands(actor: MaybeActor, level: Level, resource: Resource, row: Row): boolean {
  if (level === 'nobody') return false
  if (level === 'anyone') return true
  if (actor === undefined) return false
  if (actor.admin || level === 'member') return true
  if (level === 'owner' && resource.ownerColumn !== undefined && row[resource.ownerColumn] === actor.id) return true
  return (
    level !== 'admin' && resource.eventColumn !== undefined && actor.organises.has(row[resource.eventColumn] as number)
  )
}

/**
 * Insists on a level towards a row.
 *
 * @throws {@link ApiError} 401 without a session, 403 with one that does not reach.
 */
export function requireLevel(actor: MaybeActor, level: Level, resource: Resource, row: Row): void {
  if (stands(actor, level, resource, row)) return
  const known = requireActor(actor)
  throw problem('forbidden', `Expected ${wording(level, resource)}, you are \`${known.username}\``)
}

/** Who may look into the trash of a resource: organisers where an event decides, else the owner; of users nobody less than an administrator. */
export function trashLevel(resource: Resource): Level {
  if (resource.eventColumn !== undefined) return 'organiser'
  return resource.ownerColumn === undefined || resource.ownerColumn === 'id' ? 'admin' : 'owner'
}

/** Insists that somebody may look into some trash of this resource; which rows, the query decides. @throws 401, 403 */
export function requireTrashAccess(actor: MaybeActor, resource: Resource): void {
  const known = requireActor(actor)
  const level = trashLevel(resource)
  if (known.admin || level === 'owner' || (level === 'organiser' && known.organises.size > 0)) return
  throw problem('forbidden', `Expected ${wording(trashLevel(resource), resource)} to look into the trash`)
}

function wording(level: Level, resource: Resource): string {
  if (level === 'admin') return 'an administrator'
  if (level === 'nobody') return 'nobody at all'
  const organiser = resource.eventColumn === undefined ? 'an administrator' : 'an organiser of the event'
  return level === 'owner' && resource.ownerColumn !== undefined
    ? `the owner of the ${resource.singular} or ${organiser}`
    : organiser
}
