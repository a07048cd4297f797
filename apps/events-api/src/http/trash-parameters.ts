import { parseTrashedParameters, type TrashedFeature, TrashedRequestError } from '@org/soft-delete/http'

import { type MaybeActor, requireActor, requireTrashAccess, stands, trashLevel } from '../access.ts'
import { problem } from '../jsonapi/errors.ts'
import { invalid } from '../jsonapi/query.ts'
import type { Resource, Row } from '../resources/resource.ts'
import type { Trash } from '../store/scope.ts'
import type { Call } from './operation.ts'

/** What reaches into the trash, by the kind of request that takes it, and how it is spelled. */
const accepted = {
  collection: { features: ['with', 'only'], names: ['with_trashed', 'only_trashed', 'filter[trashed]'] },
  single: { features: ['with'], names: ['with_trashed'] },
  removal: { features: ['permanent'], names: ['permanent', 'permanent_delete'] },
} as const satisfies Record<string, { readonly features: readonly TrashedFeature[]; readonly names: readonly string[] }>

/** What a query string says about the trash, and the parameters that say something else. */
export interface TrashRequest {
  readonly trash: Trash
  readonly permanent: boolean
  readonly rest: URLSearchParams
}

/**
 * Takes the trash parameters out of a query string and insists on the right to use them.
 *
 * A resource without a trash takes none of them: they stay in `rest`, where they are unknown.
 *
 * @throws {@link ApiError} 400 for a value that is not understood or a contradiction; 401 and 403 by the caller's
 *   standing.
 */
export function parseTrash(call: Call, resource: Resource, kind: keyof typeof accepted): TrashRequest {
  const rest = new URLSearchParams(call.url.searchParams)
  if (!resource.softDelete) return { trash: 'without', permanent: false, rest }
  const { features, names } = accepted[kind]
  const ours = new URLSearchParams()
  for (const name of names) {
    // `permanent` is a name that JSON:API does not allow to a server; `permanent_delete` is the conformant one.
    for (const value of rest.getAll(name)) ours.append(name === 'permanent_delete' ? 'permanent' : name, value)
    rest.delete(name)
  }
  const { trashed, permanent } = parse(ours, features)
  if (permanent) requireAdmin(call.actor)
  if (trashed !== 'without') requireTrashAccess(call.actor, resource)
  return { trash: trashed, permanent, rest }
}

function parse(parameters: URLSearchParams, accept: readonly TrashedFeature[]) {
  try {
    return parseTrashedParameters(parameters, { accept })
  } catch (error) {
    if (error instanceof TrashedRequestError) throw invalid(error.parameter, error.message)
    throw error
  }
}

/** Insists that the caller may see this trashed row. @throws {@link ApiError} 401, 403 */
export function requireTrashed(actor: MaybeActor, resource: Resource, row: Row): void {
  if (stands(actor, trashLevel(resource), resource, row)) return
  const { username } = requireActor(actor)
  throw problem('forbidden', `Expected an organiser of the event or an administrator, you are \`${username}\``)
}

function requireAdmin(actor: MaybeActor): void {
  if (requireActor(actor).admin) return
  throw problem('forbidden', 'Expected an administrator to delete for good', { parameter: 'permanent' })
}
