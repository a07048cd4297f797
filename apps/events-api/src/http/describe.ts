import { trashLevel } from '../access.ts'
import { MEDIA_TYPE } from '../jsonapi/media-type.ts'
import { limits } from '../jsonapi/query.ts'
import type { Schema } from '../resources/attributes.ts'
import type { Registry } from '../resources/registry.ts'
import { queryable, type Resource } from '../resources/resource.ts'
import { exampleDocument } from './examples.ts'
import type { Answer, Parameter } from './description.ts'
import type { Operation } from './operation.ts'

type Handle = Operation['handle']

/** A link to a schema of the description's components. */
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })

/** `session-types` as a title: `Session Types`. */
export function title(type: string): string {
  return type.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => ` ${letter.toUpperCase()}`).trim()
}

/** `an event`, `a user`. */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/i.test(noun) && !/^user/i.test(noun) ? 'an' : 'a'} ${noun}`
}

const pascal = (type: string) => title(type).replaceAll(' ', '')

/** The document of one resource, or of none behind an empty to-one relationship. */
export function itemSchema(resource: Resource, nullable = false): Schema {
  return documentSchema(nullable ? { anyOf: [ref(resource.type), { type: 'null' }] } : ref(resource.type))
}

/** The document of a page. */
export function collectionSchema(resource: Resource): Schema {
  return documentSchema({ type: 'array', items: ref(resource.type) }, { count: { type: 'integer', minimum: 0 } })
}

/** An answer's document around its primary data. */
export function documentSchema(data: Schema, meta?: Readonly<Record<string, Schema>>): Schema {
  return {
    type: 'object',
    properties: {
      jsonapi: ref('jsonapi'),
      links: ref('links'),
      ...(meta && {
        meta: { type: 'object', properties: meta, required: Object.keys(meta), additionalProperties: false },
      }),
      data,
      included: { type: 'array', items: ref('included') },
    },
    required: ['jsonapi', 'links', 'data', ...(meta ? ['meta'] : [])],
    additionalProperties: false,
  }
}

const etag = { ETag: 'Validator for `If-Match` and `If-None-Match`.' }

/** An answer with a document. */
export const jsonapiAnswer = (description: string, schema: Schema, headers?: Answer['headers']): Answer => ({
  description,
  mediaType: MEDIA_TYPE,
  schema,
  ...(headers && { headers }),
})

/** The answer of a conditional read. */
export const notModified: Answer = { description: 'The client has this representation.', headers: etag }

/** Parameters that reach into the trash. Absent where a resource has none. */
export function trashParameters(resource: Resource, where: 'collection' | 'single'): Parameter[] {
  if (!resource.softDelete) return []
  const withTrashed = {
    name: 'with_trashed',
    description: 'Trashed resources, too. Organisers see those of their events, administrators all.',
    schema: { const: 'true' },
    example: 'true',
  }
  if (where === 'single') return [withTrashed]
  return [
    withTrashed,
    {
      name: 'only_trashed',
      description: 'Trashed resources and no others.',
      schema: { const: 'true' },
      example: 'true',
    },
    {
      name: 'filter[trashed]',
      description: 'JSON:API spelling of the two above.',
      schema: { enum: ['with', 'only'] },
      example: 'with',
    },
  ]
}

/** `include` and `fields` of a resource. */
export function shapeParameters(resource: Resource, registry: Registry): Parameter[] {
  const relationships = Object.keys(resource.relationships)
  const include: Parameter = {
    name: 'include',
    description: `Relationships to follow, dotted and separated by commas; up to ${limits.includeDepth} deep.`,
    schema: { type: 'string' },
    ...(relationships[0] !== undefined && { example: relationships[0] }),
  }
  const types = new Set([resource.type, ...Object.values(resource.relationships).map((r) => r.type)])
  return [
    ...(relationships.length > 0 ? [include] : []),
    ...[...types].map((type): Parameter => {
      const [first = 'created-at'] = Object.keys(registry.get(type)?.attributes ?? {})
      const description = `Fields of \`${type}\` to answer with, separated by commas.`
      return { name: `fields[${type}]`, description, schema: { type: 'string' }, example: first }
    }),
  ]
}

/** What a list takes beside its shape: sort, filter and page. */
export function listParameters(resource: Resource): Parameter[] {
  const attributes = Object.entries(resource.attributes).filter(([, attribute]) => attribute.query)
  return [
    {
      name: 'sort',
      description: `Attributes separated by commas, \`-\` for descending: ${queryable(resource).join(', ')}.`,
      schema: { type: 'string' },
      example: '-id',
    },
    ...attributes.map(([name, attribute]): Parameter => ({
      name: `filter[${name}]`,
      description: 'Equal to this. `filter[…][op]` compares: ne, gt, ge, lt, le, like (text within), in (commas).',
      schema: { type: 'string' },
      example: String(attribute.example),
    })),
    ...(resource.search === undefined
      ? []
      : [
          {
            name: 'filter[search]',
            description: `Words that the ${resource.singular} or what belongs to it contains. The index follows a change within moments.`,
            schema: { type: 'string' },
            example: 'summit',
          },
        ]),
    ...Object.keys(resource.relationships).map((name): Parameter => ({
      name: `filter[${name}]`,
      description: `Linked to the resource of this id by \`${name}\`.`,
      schema: { type: 'string', pattern: '^[1-9][0-9]*$' },
      example: '1',
    })),
    {
      name: 'page[number]',
      description: 'Page, from 1.',
      schema: { type: 'integer', minimum: 1 },
      example: '1',
    },
    {
      name: 'page[size]',
      description: 'Resources a page.',
      schema: { type: 'integer', minimum: 1, maximum: limits.pageSize, default: limits.defaultPageSize },
      example: '10',
    },
  ]
}

/** Statuses that guard a list. One of rows of one's own refuses nobody who is signed in; a trash may. */
function listGuards(resource: Resource): number[] {
  if (resource.access.read === 'anyone') return resource.softDelete ? [401, 403] : []
  return resource.softDelete && trashLevel(resource) !== 'owner' ? [401, 403] : [401]
}

/** Writes the descriptions of a resource's operations around their handlers. */
export function describeResource(resource: Resource, registry: Registry) {
  const { type, singular } = resource
  const group = title(type)
  const name = pascal(type)
  const single = pascal(singular.replaceAll(' ', '-'))
  const a = withArticle(singular)
  const item = `/v1/${type}/{id}`
  const guarded = resource.access.read !== 'anyone'
  const references = Object.values(resource.relationships).some(
    (r) => (r.kind === 'one' && r.set !== 'never') || (r.kind === 'through' && r.writable),
  )
  const base = { jsonapi: true, session: 'required' } as const
  const answer = jsonapiAnswer(`The ${singular}.`, itemSchema(resource), etag)
  // A name or a live parent can be in the way of a restore.
  const twin = resource.unique !== undefined || (resource.eventColumn !== undefined && resource.eventColumn !== 'id')

  return {
    list: (handle: Handle): Operation => ({
      ...base,
      id: `list${name}`,
      name: [group, `${group} Collection`, `List All ${group}`],
      method: 'get',
      path: `/v1/${type}`,
      summary: `Lists ${type.replaceAll('-', ' ')}`,
      session: guarded ? 'required' : 'optional',
      parameters: [
        ...shapeParameters(resource, registry),
        ...listParameters(resource),
        ...trashParameters(resource, 'collection'),
      ],
      responses: { 200: jsonapiAnswer('A page.', collectionSchema(resource), etag), 304: notModified },
      errors: [400, ...listGuards(resource), 406],
      handle,
    }),
    create: (handle: Handle): Operation => ({
      ...base,
      id: `create${single}`,
      name: [group, `${group} Collection`, `Create ${title(singular.replaceAll(' ', '-'))}`],
      method: 'post',
      path: `/v1/${type}`,
      summary: `Creates ${a}`,
      parameters: [],
      body: { mediaType: MEDIA_TYPE, schema: ref(`${type}-create`), example: exampleDocument(resource, 'create') },
      responses: {
        201: jsonapiAnswer(`The new ${singular}.`, itemSchema(resource), { ...etag, Location: 'Its address.' }),
      },
      errors: [400, 401, 403, ...(references ? [404] : []), 406, 409, 413, 415, 422],
      handle,
    }),
    read: (handle: Handle): Operation => ({
      ...base,
      id: `get${single}`,
      name: [group, `${group} Details`, `${title(singular.replaceAll(' ', '-'))} Details`],
      method: 'get',
      path: item,
      summary: `Reads ${a}`,
      session: guarded ? 'required' : 'optional',
      parameters: [...shapeParameters(resource, registry), ...trashParameters(resource, 'single')],
      responses: { 200: answer, 304: notModified },
      errors: [400, ...itemGuards(resource), 404, 406],
      handle,
    }),
    update: (handle: Handle): Operation => ({
      ...base,
      id: `update${single}`,
      name: [group, `${group} Details`, `Update ${title(singular.replaceAll(' ', '-'))}`],
      method: 'patch',
      path: item,
      summary: `Changes ${a}`,
      ...(resource.softDelete && {
        description: 'With `with_trashed=true` and `"deleted-at": null` it restores, too.',
      }),
      parameters: trashParameters(resource, 'single'),
      body: { mediaType: MEDIA_TYPE, schema: ref(`${type}-update`), example: exampleDocument(resource, 'update') },
      responses: { 200: answer },
      errors: [400, 401, 403, 404, 406, 409, 412, 413, 415, 422],
      handle,
    }),
    remove: (handle: Handle): Operation => ({
      ...base,
      id: `delete${single}`,
      name: [group, `${group} Details`, `Delete ${title(singular.replaceAll(' ', '-'))}`],
      method: 'delete',
      path: item,
      summary: resource.softDelete ? `Puts ${a} into the trash` : `Deletes ${a} for good`,
      parameters: resource.softDelete
        ? [
            {
              name: 'permanent',
              description: 'Deletes for good, live or trashed. Administrators only. `permanent_delete` is the same.',
              schema: { const: 'true' },
              example: 'true',
            },
            {
              name: 'permanent_delete',
              description: 'The spelling that JSON:API allows for a parameter of our own.',
              schema: { const: 'true' },
              example: 'true',
            },
          ]
        : [],
      responses: { 200: jsonapiAnswer('Deleted.', ref('deleted')) },
      errors: [400, 401, 403, 404, 406, 412],
      handle,
    }),
    restore: (handle: Handle): Operation => ({
      ...base,
      id: `restore${single}`,
      name: [group, `${group} Trash`, `Restore ${title(singular.replaceAll(' ', '-'))}`],
      method: 'post',
      path: `${item}/restore`,
      summary: `Takes ${a} out of the trash`,
      description:
        'Brings back what went with it, and nothing that was in the trash before. A live one stays as it is.',
      parameters: [],
      responses: { 200: answer },
      errors: [400, 401, 403, 404, 406, ...(twin ? [409] : []), 412],
      handle,
    }),
  }
}

function itemGuards(resource: Resource): number[] {
  return resource.access.read !== 'anyone' || resource.softDelete ? [401, 403] : []
}
