import { SoftDeleteError } from '@org/soft-delete'

import { problem } from '../jsonapi/errors.ts'
import type { Resource } from '../resources/resource.ts'

interface DatabaseFailure {
  readonly code: string
  readonly constraint?: string
}

/** Postgres' word for a transaction that lost against another and may try again. */
const RETRY = new Set(['40001', '40P01'])

/** Tells whether the same transaction may succeed if it runs again. */
export function isRetryable(error: unknown): boolean {
  return isDatabaseFailure(error) && RETRY.has(error.code)
}

/** Says in the API's words what the database or the soft deletion refused; anything else stays as it is. */
export function translateConflict(error: unknown, resource: Resource): unknown {
  if (error instanceof SoftDeleteError) {
    const cause = { cause: error }
    if (error.code === 'SOFT_DELETE_CONFLICT') {
      return problem('duplicate', `Expected no live ${resource.singular} in its place`, undefined, cause)
    }
    if (error.code === 'SOFT_DELETE_PARENT_TRASHED') {
      return problem('conflict', 'Expected a live parent: restore it first', undefined, cause)
    }
    if (error.code === 'SOFT_DELETE_RESTRICTED') {
      return problem('conflict', `Expected nothing that still needs the ${resource.singular}`, undefined, cause)
    }
    return error
  }
  if (!isDatabaseFailure(error)) return error
  const cause = { cause: error }
  switch (error.code) {
    case '23505': {
      const attribute = resource.unique?.[error.constraint ?? '']
      const source = attribute === undefined ? undefined : { pointer: `/data/attributes/${attribute}` }
      return problem('duplicate', `Expected no other live ${resource.singular} of the same key`, source, cause)
    }
    case '23503':
      return problem(
        'conflict',
        'Expected the linked resources to stay while this happened; try again',
        undefined,
        cause,
      )
    case '23514':
      return problem('invalid_value', 'Expected values that fit together', { pointer: '/data/attributes' }, cause)
    case '22003':
    case '22008':
      return problem('invalid_value', 'Expected values within range', { pointer: '/data/attributes' }, cause)
    default:
      return error
  }
}

function isDatabaseFailure(error: unknown): error is DatabaseFailure {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)
}
