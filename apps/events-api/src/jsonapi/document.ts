import { builtIn, columnOf, type Resource, type Row } from '../resources/resource.ts'

/** Rows that a read found, ready to be written down. */
export interface Found {
  readonly resource: Resource
  readonly rows: readonly Row[]
  /** Rows that came by `include`, by resource and id, without those of {@link Found.rows}. */
  readonly included: ReadonlyMap<Resource, ReadonlyMap<number, Row>>
  /** Ids behind a relationship that was included: by `type.relationship`, then by the row's id. */
  readonly linkage: ReadonlyMap<string, ReadonlyMap<number, readonly number[]>>
}

/** A resource object. @see https://jsonapi.org/format/1.1/#document-resource-objects */
export interface ResourceObject {
  readonly type: string
  readonly id: string
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly relationships?: Readonly<Record<string, unknown>>
  readonly links: { readonly self: string }
}

/** The top level of an answer with data. */
export interface Document {
  readonly jsonapi: { readonly version: '1.1' }
  readonly links?: Readonly<Record<string, string | null>>
  readonly meta?: Readonly<Record<string, unknown>>
  readonly data: unknown
  readonly included?: readonly ResourceObject[]
}

export const jsonapi = { version: '1.1' } as const

/** Path of a resource; that of a trashed one says so, or following it would end in a 404. */
export function selfLink(resource: Resource, row: Row): string {
  return `/v1/${resource.type}/${String(row['id'])}${row['deleted_at'] ? '?with_trashed=true' : ''}`
}

/** Writes rows as resource objects; one writer serves a whole response. */
export function createWriter(found: Found, fields: ReadonlyMap<string, ReadonlySet<string>>) {
  const shapes = new Map<Resource, Shape>()

  function shapeOf(resource: Resource): Shape {
    const known = shapes.get(resource)
    if (known !== undefined) return known
    const wanted = fields.get(resource.type)
    const keep = (name: string) => wanted === undefined || wanted.has(name)
    const shape = {
      attributes: [...Object.keys(resource.attributes), ...builtIn(resource)]
        .filter(keep)
        .map((name) => [name, columnOf(name)] as const),
      relationships: Object.entries(resource.relationships).flatMap(([name, relationship]) => {
        if (!keep(name)) return []
        const many = relationship.kind !== 'one'
        const self = (relationship.kind === 'one' && relationship.set === 'always') || isWritable(relationship)
        return [{ name, many, self, type: relationship.type, linked: found.linkage.get(`${resource.type}.${name}`) }]
      }),
    }
    shapes.set(resource, shape)
    return shape
  }

  function write(resource: Resource, row: Row): ResourceObject {
    const shape = shapeOf(resource)
    const id = row['id'] as number
    const attributes: Record<string, unknown> = {}
    // Dates become strings when the document does: `Date.prototype.toJSON` writes what the schema promises.
    for (const [name, column] of shape.attributes) attributes[name] = row[column]
    const relationships: Record<string, unknown> = {}
    const base = `/v1/${resource.type}/${id}`
    const keep = row['deleted_at'] ? '?with_trashed=true' : ''
    for (const { name, many, self, type, linked } of shape.relationships) {
      const links = self
        ? { self: `${base}/relationships/${name}${keep}`, related: `${base}/${name}${keep}` }
        : { related: `${base}/${name}${keep}` }
      const ids = linked?.get(id)
      relationships[name] = ids === undefined ? { links } : { links, data: identifiers(type, ids, many) }
    }
    return {
      type: resource.type,
      id: String(id),
      ...(shape.attributes.length > 0 && { attributes }),
      ...(shape.relationships.length > 0 && { relationships }),
      links: { self: base + keep },
    }
  }

  return {
    data: () => found.rows.map((row) => write(found.resource, row)),
    included: () => {
      const list: ResourceObject[] = []
      for (const [resource, rows] of found.included) for (const row of rows.values()) list.push(write(resource, row))
      return list
    },
  }
}

/** Linkage as a document carries it: one identifier or `null`, or a list. */
export function identifiers(type: string, ids: readonly number[], many: boolean): unknown {
  const list = ids.map((id) => ({ type, id: String(id) }))
  return many ? list : (list[0] ?? null)
}

function isWritable(relationship: Resource['relationships'][string]): boolean {
  return relationship.kind === 'through' && relationship.writable
}

interface Shape {
  readonly attributes: readonly (readonly [name: string, column: string])[]
  readonly relationships: readonly {
    readonly name: string
    readonly many: boolean
    readonly self: boolean
    readonly type: string
    readonly linked: ReadonlyMap<number, readonly number[]> | undefined
  }[]
}
