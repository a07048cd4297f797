import { columnOf, type Resource } from '../resources/resource.ts'

const cache = new WeakMap<Resource, readonly string[]>()

/** Columns that answers are made of; what a resource does not declare (the bytes of an export) is never read. */
export function columnsOf(resource: Resource): readonly string[] {
  let columns = cache.get(resource)
  if (columns === undefined) {
    const references = Object.values(resource.relationships).flatMap((r) => (r.kind === 'one' ? [r.column] : []))
    columns = [
      ...new Set([
        'id',
        'version',
        'created_at',
        'updated_at',
        ...(resource.softDelete ? ['deleted_at'] : []),
        ...Object.keys(resource.attributes).map(columnOf),
        ...references,
      ]),
    ]
    cache.set(resource, columns)
  }
  return columns
}
