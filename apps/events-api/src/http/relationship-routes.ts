import type { Ajv } from 'ajv'

import { requireActor, requireLevel } from '../access.ts'
import { readJson, validate } from '../jsonapi/body.ts'
import { type Linkage, parseLinkage } from '../jsonapi/changes.ts'
import { identifiers } from '../jsonapi/document.ts'
import { requireMatch } from '../jsonapi/etag.ts'
import { parseId } from '../jsonapi/id.ts'
import { MEDIA_TYPE, requireMediaType } from '../jsonapi/media-type.ts'
import { type Family, parseQuery } from '../jsonapi/query.ts'
import { documentOf, linkage } from '../jsonapi/schemas.ts'
import { inverseColumn, type Registry, resourceOf } from '../resources/registry.ts'
import type { Relationship, Resource, Row, Tx } from '../resources/resource.ts'
import { readIncluded, readOne } from '../store/read.ts'
import { type Named, updateRow } from '../store/write.ts'
import { documentResponse, readResponse } from './answer.ts'
import {
  collectionSchema,
  documentSchema,
  itemSchema,
  jsonapiAnswer,
  listParameters,
  notModified,
  shapeParameters,
  title,
  trashParameters,
  withArticle,
} from './describe.ts'
import type { Call, Operation } from './operation.ts'
import { collectionResponse, itemDocument, notFound } from './resource-routes.ts'
import { parseTrash, requireTrashed } from './trash-parameters.ts'

const collection: ReadonlySet<Family> = new Set(['include', 'fields', 'sort', 'filter', 'page'])
const single: ReadonlySet<Family> = new Set(['include', 'fields'])
const none: ReadonlySet<Family> = new Set()

/** Related resources of every relationship, and linkage of those that clients may change. */
export function relationshipOperations(resource: Resource, registry: Registry, ajv: Ajv): Operation[] {
  return Object.entries(resource.relationships).flatMap(([name, relationship]) => [
    relatedOperation(resource, name, relationship, registry),
    ...(isWritable(resource, relationship) ? linkageOperations(resource, name, relationship, registry, ajv) : []),
  ])
}

function isWritable(resource: Resource, relationship: Relationship): boolean {
  if (resource.access.update === 'nobody') return false
  return relationship.kind === 'one'
    ? relationship.set === 'always'
    : relationship.kind === 'through' && relationship.writable
}

/** The row that owns the relationship, as far as the caller may know of it. */
async function parentOf(call: Call, resource: Resource, trash: boolean, tx?: Tx): Promise<Row> {
  if (resource.access.read !== 'anyone') requireActor(call.actor)
  const id = parseId(call.params['id'] ?? '')
  const row =
    id === undefined
      ? undefined
      : await readOne(tx ?? call.service.db, resource, id, { trash, ...(tx && { lock: 'update' }) })
  if (row === undefined) throw notFound(resource)
  requireLevel(call.actor, resource.access.read, resource, row)
  if (row['deleted_at']) requireTrashed(call.actor, resource, row)
  return row
}

function relatedOperation(resource: Resource, name: string, relationship: Relationship, registry: Registry): Operation {
  const target = resourceOf(registry, relationship.type)
  const many = relationship.kind !== 'one'
  const trashable = resource.softDelete || target.softDelete

  async function handle(call: Call): Promise<Response> {
    const { trash, rest } = parseTrash(
      call,
      trashable ? { ...resource, softDelete: true } : resource,
      many ? 'collection' : 'single',
    )
    const query = parseQuery(rest, target, registry, many ? collection : single)
    const parent = await parentOf(call, resource, trash !== 'without')
    const viewer = { actor: call.actor, trash }
    if (relationship.kind !== 'one') {
      const id = parent['id'] as number
      const condition =
        relationship.kind === 'through'
          ? { through: { table: relationship.table, here: relationship.there, there: relationship.here }, id }
          : { column: inverseColumn(target, relationship.inverse), operator: '=' as const, value: id }
      return collectionResponse(
        call,
        registry,
        target,
        { ...query, conditions: [...query.conditions, condition] },
        viewer,
      )
    }
    const found = await readIncluded(
      call.service.db,
      registry,
      resource,
      [parent],
      new Map([[name, new Map()]]),
      viewer,
    )
    const [row] = [...(found.included.get(target) ?? new Map<number, Row>()).values()]
    if (row === undefined) {
      return readResponse(call.request, {
        links: { self: call.url.pathname + call.url.search },
        data: null,
        ...(query.hasInclude && { included: [] }),
      })
    }
    return readResponse(
      call.request,
      await itemDocument(call, registry, target, row, query, viewer),
      row['version'] as number,
    )
  }

  const group = title(resource.type)
  const guarded = resource.access.read !== 'anyone' || trashable
  return {
    id: `get${pascal(resource.singular)}${pascal(name)}`,
    name: [
      group,
      `${title(name)} of ${withArticle(title(dashed(resource.singular)))}`,
      `Get ${title(name)} of ${withArticle(title(dashed(resource.singular)))}`,
    ],
    method: 'get',
    path: `/v1/${resource.type}/{id}/${name}`,
    summary: `Reads the ${name.replaceAll('-', ' ')} of ${withArticle(resource.singular)}`,
    session: resource.access.read === 'anyone' ? 'optional' : 'required',
    jsonapi: true,
    parameters: [
      ...shapeParameters(target, registry),
      ...(many ? listParameters(target) : []),
      ...trashParameters(trashable ? { ...target, softDelete: true } : target, many ? 'collection' : 'single'),
    ],
    responses: {
      200: jsonapiAnswer('What is linked.', many ? collectionSchema(target) : itemSchema(target, true), {
        ETag: 'Validator.',
      }),
      304: notModified,
    },
    errors: [400, ...(guarded ? [401, 403] : []), 404, 406],
    handle,
  }
}

function linkageOperations(
  resource: Resource,
  name: string,
  relationship: Relationship,
  registry: Registry,
  ajv: Ajv,
): Operation[] {
  const many = relationship.kind === 'through'
  const check = ajv.compile(documentOf(linkage(relationship)))
  const tree = new Map([[name, new Map<string, never>()]])

  /** All that are linked, those in the trash, too: a change keeps what it does not name. */
  async function linked(tx: Tx, row: Row): Promise<readonly number[]> {
    if (relationship.kind !== 'through') return []
    const { table, here, there } = relationship
    const pairs = await tx.selectFrom(table).select(there).where(here, '=', row['id']).execute()
    return pairs.map((pair) => pair[there] as number)
  }

  async function idsOf(call: Call, db: Call['service']['db'], row: Row, trash: boolean): Promise<readonly number[]> {
    const viewer = { actor: call.actor, trash: trash ? ('with' as const) : ('without' as const) }
    const found = await readIncluded(db, registry, resource, [row], tree, viewer)
    return found.linkage.get(`${resource.type}.${name}`)?.get(row['id'] as number) ?? []
  }

  function namedIn(parsed: ReturnType<typeof parseLinkage>): Named[] {
    if (parsed === null) return []
    if (!Array.isArray(parsed)) return [{ relationship: name, id: parsed, pointer: '/data' }]
    return parsed.map((id, index) => ({ relationship: name, id, pointer: `/data/${index}` }))
  }

  function documentOfIds(row: Row, ids: readonly number[]) {
    const path = `/v1/${resource.type}/${String(row['id'])}`
    return {
      links: { self: `${path}/relationships/${name}`, related: `${path}/${name}` },
      data: identifiers(relationship.type, ids, many),
    }
  }

  async function read(call: Call): Promise<Response> {
    const { trash, rest } = parseTrash(call, resource, 'single')
    parseQuery(rest, resource, registry, none)
    const row = await parentOf(call, resource, trash === 'with')
    const ids = await idsOf(call, call.service.db, row, trash === 'with')
    return readResponse(call.request, documentOfIds(row, ids), row['version'] as number)
  }

  const change = (
    next: (before: readonly number[], given: readonly number[]) => readonly number[],
    options: { readonly adds: boolean } = { adds: true },
  ) =>
    async function handle(call: Call): Promise<Response> {
      parseQuery(call.url.searchParams, resource, registry, none)
      requireMediaType(call.request.headers)
      const actor = requireActor(call.actor)
      const document = await readJson(call.request)
      validate(check, document, /^\/data(?:\/|$)/)
      const parsed = parseLinkage(relationship, (document as { readonly data: Linkage }).data, '/data')
      return call.service.write(resource, async (tx) => {
        const row = await parentOf(call, resource, false, tx)
        requireLevel(actor, resource.access.update, resource, row)
        requireMatch(call.request.headers, row['version'] as number)
        const empty = { attributes: {}, references: {}, pairs: {}, restore: false }
        const changes = Array.isArray(parsed)
          ? { ...empty, pairs: { [name]: next(await linked(tx, row), parsed) } }
          : { ...empty, references: { [name]: parsed as number | null } }
        const named = options.adds ? namedIn(parsed) : []
        const after = await updateRow(tx, registry, resource, row, changes, named)
        await call.service.changed(resource, after, 'updated')
        const ids = await idsOf(call, tx, after, false)
        return documentResponse(200, documentOfIds(after, ids), { version: after['version'] as number })
      })
    }

  const group = title(resource.type)
  const thing = `${title(name)} Relationship of ${withArticle(title(dashed(resource.singular)))}`
  const schema = documentSchema(linkage(many ? relationship : ({ ...relationship, required: false } as Relationship)))
  const describe = (
    method: Operation['method'],
    verb: string,
    summary: string,
    handle: Operation['handle'],
  ): Operation => ({
    id: `${verb.toLowerCase()}${pascal(resource.singular)}${pascal(name)}Linkage`,
    name: [group, thing, `${verb} ${thing}`],
    method,
    path: `/v1/${resource.type}/{id}/relationships/${name}`,
    summary,
    session: method === 'get' ? 'optional' : 'required',
    jsonapi: true,
    parameters: method === 'get' ? trashParameters(resource, 'single') : [],
    ...(method !== 'get' && {
      body: {
        mediaType: MEDIA_TYPE,
        schema: documentOf(linkage(relationship)),
        example: { data: many ? [{ type: relationship.type, id: '1' }] : { type: relationship.type, id: '1' } },
      },
    }),
    responses: {
      200: jsonapiAnswer('The linkage.', schema, { ETag: 'Validator.' }),
      ...(method === 'get' && { 304: notModified }),
    },
    errors:
      method === 'get'
        ? [400, ...(resource.softDelete ? [401, 403] : []), 404, 406]
        : [400, 401, 403, 404, 406, 412, 413, 415, 422],
    handle,
  })

  const words = `the ${name.replaceAll('-', ' ')} of ${withArticle(resource.singular)}`
  return [
    describe('get', 'Get', `Reads which are ${words}`, read),
    describe(
      'patch',
      'Replace',
      `Sets ${words}`,
      change((_, given) => given),
    ),
    ...(many
      ? [
          describe(
            'post',
            'Add',
            `Adds to ${words}`,
            change((before, given) => [...before, ...given]),
          ),
          describe(
            'delete',
            'Remove',
            `Takes from ${words}`,
            change((before, given) => before.filter((id) => !given.includes(id)), { adds: false }),
          ),
        ]
      : []),
  ]
}

const dashed = (text: string) => text.replaceAll(' ', '-')
const pascal = (text: string) => title(dashed(text)).replaceAll(' ', '')
