import type { Resource } from '../resources/resource.ts'

/** A request document made of the attributes' examples; links point at the first of their kind. */
export function exampleDocument(resource: Resource, when: 'create' | 'update'): unknown {
  const attributes = Object.entries(resource.attributes)
    .filter(([, attribute]) => attribute.set === 'always' || (when === 'create' && attribute.set === 'once'))
    .map(([name, attribute]) => [name, attribute.example] as const)
  const relationships = Object.entries(resource.relationships).flatMap(([name, relationship]) =>
    when === 'create' && relationship.kind === 'one' && relationship.required
      ? [[name, { data: { type: relationship.type, id: '1' } }] as const]
      : [],
  )
  return {
    data: {
      type: resource.type,
      ...(when === 'update' && { id: '1' }),
      attributes: Object.fromEntries(attributes),
      ...(relationships.length > 0 && { relationships: Object.fromEntries(relationships) }),
    },
  }
}
