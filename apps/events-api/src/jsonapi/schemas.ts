import type { Attribute, Schema } from '../resources/attributes.ts'
import type { Relationship, Resource } from '../resources/resource.ts'

const id = { type: 'string', pattern: '^[1-9][0-9]{0,9}$' }
const instant = { type: 'string', format: 'date-time' }
const path = { type: 'string', pattern: '^/' }

/** A resource identifier of one type. */
function identifier(type: string): Schema {
  return {
    type: 'object',
    properties: { type: { const: type }, id },
    required: ['type', 'id'],
    additionalProperties: false,
  }
}

/** Linkage of a relationship, as documents carry it. */
export function linkage(relationship: Relationship): Schema {
  const one = identifier(relationship.type)
  if (relationship.kind !== 'one') return { type: 'array', items: one, maxItems: 1000 }
  return relationship.required ? one : { anyOf: [one, { type: 'null' }] }
}

/** A resource object in an answer. Attributes may be left out by a sparse fieldset, none may be added. */
export function resourceSchema(resource: Resource): Schema {
  const attributes: Record<string, Schema> = {}
  for (const [name, attribute] of Object.entries(resource.attributes)) {
    const { default: _, ...schema } = attribute.schema
    attributes[name] = schema
  }
  attributes['created-at'] = { ...instant, readOnly: true, description: 'When it was created.' }
  attributes['updated-at'] = { ...instant, readOnly: true, description: 'When it last changed.' }
  if (resource.softDelete) {
    attributes['deleted-at'] = {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When it was put into the trash; `null` while it is live. Send `null` to restore.',
    }
  }
  const relationships = Object.fromEntries(
    Object.entries(resource.relationships).map(([name, relationship]) => [
      name,
      {
        type: 'object',
        description: `The ${name} of this ${resource.singular}; \`data\` is present when included.`,
        properties: {
          links: {
            type: 'object',
            properties: { self: path, related: path },
            required: ['related'],
            additionalProperties: false,
          },
          data:
            relationship.kind === 'one'
              ? { anyOf: [identifier(relationship.type), { type: 'null' }] }
              : { type: 'array', items: identifier(relationship.type) },
        },
        required: ['links'],
        additionalProperties: false,
      },
    ]),
  )
  return {
    type: 'object',
    description: resource.description,
    properties: {
      type: { const: resource.type },
      id,
      attributes: { type: 'object', properties: attributes, additionalProperties: false },
      relationships: { type: 'object', properties: relationships, additionalProperties: false },
      links: { type: 'object', properties: { self: path }, required: ['self'], additionalProperties: false },
    },
    required: ['type', 'id', 'links'],
    additionalProperties: false,
  }
}

const settable = (when: 'create' | 'update', set: Attribute['set']) =>
  set === 'always' || (set === 'once' && when === 'create')

/** The document that creates or changes a resource; checks requests and describes them. */
export function requestSchema(resource: Resource, when: 'create' | 'update'): Schema {
  const attributes = Object.entries(resource.attributes).filter(([, attribute]) => settable(when, attribute.set))
  const relationships = Object.entries(resource.relationships).filter(
    ([, relationship]) =>
      (relationship.kind === 'one' && settable(when, relationship.set)) ||
      (relationship.kind === 'through' && relationship.writable),
  )
  const needed = when === 'create' ? attributes.filter(([, a]) => a.required).map(([name]) => name) : []
  const linked =
    when === 'create' ? relationships.filter(([, r]) => r.kind === 'one' && r.required).map(([name]) => name) : []
  const restore = when === 'update' && resource.softDelete
  const data = {
    type: 'object',
    properties: {
      type: { const: resource.type },
      ...(when === 'update' && { id }),
      attributes: {
        type: 'object',
        properties: {
          ...Object.fromEntries(attributes.map(([name, attribute]) => [name, attribute.schema])),
          ...(restore && { 'deleted-at': { type: 'null', description: 'Restores a trashed resource.' } }),
        },
        required: needed,
        additionalProperties: false,
      },
      relationships: {
        type: 'object',
        properties: Object.fromEntries(
          relationships.map(([name, relationship]) => [
            name,
            {
              type: 'object',
              properties: { data: linkage(relationship) },
              required: ['data'],
              additionalProperties: false,
            },
          ]),
        ),
        required: linked,
        additionalProperties: false,
      },
    },
    required: [
      'type',
      ...(when === 'update' ? ['id'] : []),
      ...(needed.length > 0 ? ['attributes'] : []),
      ...(linked.length > 0 ? ['relationships'] : []),
    ],
    additionalProperties: false,
  }
  return documentOf(data)
}

/** A request document around its primary data. */
export function documentOf(data: Schema): Schema {
  return {
    type: 'object',
    properties: { data, meta: { type: 'object' }, jsonapi: { type: 'object' } },
    required: ['data'],
    additionalProperties: false,
  }
}
