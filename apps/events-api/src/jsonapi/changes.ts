import type { ValidateFunction } from 'ajv'

import type { Relationship, Resource } from '../resources/resource.ts'
import { validate } from './body.ts'
import { problem } from './errors.ts'
import { parseId } from './id.ts'

/** What a document asks to write, in terms of the resource. */
export interface Changes {
  readonly attributes: Readonly<Record<string, unknown>>
  /** To-one relationships by name. */
  readonly references: Readonly<Record<string, number | null>>
  /** To-many relationships by name; the ids replace those that were. */
  readonly pairs: Readonly<Record<string, readonly number[]>>
  /** `deleted-at` was sent as `null`. */
  readonly restore: boolean
}

interface Identifier {
  readonly type: string
  readonly id: string
}

interface RequestDocument {
  readonly data: {
    readonly attributes?: Readonly<Record<string, unknown>>
    readonly relationships?: Readonly<Record<string, { readonly data: Linkage }>>
  }
}

export type Linkage = Identifier | readonly Identifier[] | null

/**
 * Reads a document that creates (no `id`) or changes (`id` of the path) a resource.
 *
 * @throws {@link ApiError} 409 for another type or id, 403 for a client-generated id, 400 and 422 as `validate`.
 * @see https://jsonapi.org/format/1.1/#crud-creating and #crud-updating
 */
export function parseChanges(check: ValidateFunction, document: unknown, resource: Resource, id?: number): Changes {
  const data = memberOf(document, 'data')
  const type = memberOf(data, 'type')
  if (typeof type === 'string' && type !== resource.type) {
    throw problem('type_mismatch', `Expected type \`${resource.type}\``, { pointer: '/data/type' })
  }
  const given = memberOf(data, 'id')
  if (id === undefined && given !== undefined) {
    throw problem('unsupported_operation', 'Expected no `id`: the service gives it', { pointer: '/data/id' })
  }
  if (id !== undefined && typeof given === 'string' && given !== String(id)) {
    throw problem('id_mismatch', `Expected id \`${id}\`, as in the path`, { pointer: '/data/id' })
  }
  validate(check, document)

  const { attributes = {}, relationships = {} } = (document as RequestDocument).data
  const { 'deleted-at': deletedAt, ...rest } = attributes
  const references: Record<string, number | null> = {}
  const pairs: Record<string, readonly number[]> = {}
  for (const [name, { data: linkage }] of Object.entries(relationships)) {
    const pointer = `/data/relationships/${name}/data`
    const ids = parseLinkage(resource.relationships[name]!, linkage, pointer)
    if (Array.isArray(ids)) pairs[name] = ids
    else references[name] = ids as number | null
  }
  return { attributes: rest, references, pairs, restore: deletedAt === null }
}

/** Reads linkage that fits its schema. @throws {@link ApiError} 404 for an id that no row can have. */
export function parseLinkage(relationship: Relationship, linkage: Linkage, pointer: string): number | null | number[] {
  const read = ({ id }: Identifier) => {
    const number = parseId(id)
    if (number !== undefined) return number
    throw problem('not_found', `Expected an existing resource of \`${relationship.type}\``, { pointer })
  }
  if (linkage === null) return null
  return Array.isArray(linkage) ? linkage.map(read) : read(linkage as Identifier)
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
