import type { Ajv } from 'ajv'

import { requireActor, requireLevel } from '../access.ts'
import { readJson } from '../jsonapi/body.ts'
import { parseChanges } from '../jsonapi/changes.ts'
import { createWriter, selfLink } from '../jsonapi/document.ts'
import { problem } from '../jsonapi/errors.ts'
import { requireMatch } from '../jsonapi/etag.ts'
import { parseId } from '../jsonapi/id.ts'
import { requireMediaType } from '../jsonapi/media-type.ts'
import { type Family, parseQuery, type ReadQuery } from '../jsonapi/query.ts'
import { requestSchema } from '../jsonapi/schemas.ts'
import type { Registry } from '../resources/registry.ts'
import type { Resource, Row, Tx } from '../resources/resource.ts'
import { readIncluded, readOne, readPage } from '../store/read.ts'
import type { Viewer } from '../store/scope.ts'
import { removeRow, restoreRow } from '../store/trash.ts'
import { createRow, updateRow } from '../store/write.ts'
import { documentResponse, metaResponse, readResponse } from './answer.ts'
import { describeResource } from './describe.ts'
import type { Call, Operation } from './operation.ts'
import { pageLinks } from './page-links.ts'
import { parseTrash, requireTrashed } from './trash-parameters.ts'

const collection: ReadonlySet<Family> = new Set(['include', 'fields', 'sort', 'filter', 'page'])
const single: ReadonlySet<Family> = new Set(['include', 'fields'])
const none: ReadonlySet<Family> = new Set()

/** The operations of one resource: list, create, read, update, remove, restore, as far as its access allows. */
export function resourceOperations(resource: Resource, registry: Registry, ajv: Ajv): Operation[] {
  const describe = describeResource(resource, registry)
  const checkCreate = ajv.compile(requestSchema(resource, 'create'))
  const checkUpdate = ajv.compile(requestSchema(resource, 'update'))

  /** The row of the path, as far as the caller may know of it. */
  async function rowOf(call: Call, trash: boolean, lock?: { readonly tx: Tx }): Promise<Row> {
    if (resource.access.read !== 'anyone') requireActor(call.actor)
    const id = parseId(call.params['id'] ?? '')
    const db = lock?.tx ?? call.service.db
    const row =
      id === undefined ? undefined : await readOne(db, resource, id, { trash, ...(lock && { lock: 'update' }) })
    if (row === undefined) throw notFound(resource)
    requireLevel(call.actor, resource.access.read, resource, row)
    if (row['deleted_at']) requireTrashed(call.actor, resource, row)
    return row
  }

  async function list(call: Call): Promise<Response> {
    const { trash, rest } = parseTrash(call, resource, 'collection')
    const query = parseQuery(rest, resource, registry, collection)
    if (resource.access.read !== 'anyone') requireActor(call.actor)
    return collectionResponse(call, registry, resource, query, { actor: call.actor, trash })
  }

  async function read(call: Call): Promise<Response> {
    const { trash, rest } = parseTrash(call, resource, 'single')
    const query = parseQuery(rest, resource, registry, single)
    const row = await rowOf(call, trash === 'with')
    const viewer = { actor: call.actor, trash }
    return readResponse(
      call.request,
      await itemDocument(call, registry, resource, row, query, viewer),
      row['version'] as number,
    )
  }

  async function create(call: Call): Promise<Response> {
    parseQuery(call.url.searchParams, resource, registry, none)
    requireMediaType(call.request.headers)
    const actor = requireActor(call.actor)
    const changes = parseChanges(checkCreate, await readJson(call.request), resource)
    const row = await call.service.write(resource, async (tx) => {
      const created = await createRow(tx, registry, resource, changes, actor, call.service.tasks.enqueue)
      await call.service.changed(resource, created, 'created')
      return created
    })
    return documentResponse(201, plainDocument(resource, row), {
      version: row['version'] as number,
      headers: { location: selfLink(resource, row) },
    })
  }

  async function update(call: Call): Promise<Response> {
    const { trash, rest } = parseTrash(call, resource, 'single')
    parseQuery(rest, resource, registry, none)
    requireMediaType(call.request.headers)
    const actor = requireActor(call.actor)
    const id = parseId(call.params['id'] ?? '')
    if (id === undefined) throw notFound(resource)
    const changes = parseChanges(checkUpdate, await readJson(call.request), resource, id)
    const row = await call.service.write(resource, async (tx) => {
      const before = await rowOf(call, trash === 'with', { tx })
      requireLevel(actor, resource.access.update, resource, before)
      requireMatch(call.request.headers, before['version'] as number)
      if (before['deleted_at'] && !changes.restore) {
        throw problem(
          'conflict',
          'Expected a live resource: restore it first, or send `deleted-at: null` with the change',
        )
      }
      let current = before
      if (before['deleted_at']) {
        requireLevel(actor, resource.access.remove, resource, before)
        current = await restoreRow(tx, call.service.softDeletion, resource, before)
        await call.service.changed(resource, current, 'restored')
      }
      const isEmpty = [changes.attributes, changes.references, changes.pairs].every(
        (part) => Object.keys(part).length === 0,
      )
      if (isEmpty) return current
      const after = await updateRow(tx, registry, resource, current, changes)
      await call.service.changed(resource, after, 'updated')
      return after
    })
    return documentResponse(200, plainDocument(resource, row), { version: row['version'] as number })
  }

  async function remove(call: Call): Promise<Response> {
    const { permanent, rest } = parseTrash(call, resource, 'removal')
    parseQuery(rest, resource, registry, none)
    const actor = requireActor(call.actor)
    await call.service.write(resource, async (tx) => {
      const row = await rowOf(call, permanent, { tx })
      requireLevel(actor, resource.access.remove, resource, row)
      requireMatch(call.request.headers, row['version'] as number)
      const kept = resource.keep?.(row)
      if (kept !== undefined) throw problem('forbidden', kept)
      await removeRow(tx, call.service.softDeletion, resource, row, { permanent, actor })
      if (permanent || !resource.softDelete) await resource.afterDelete?.(row, call.service.tasks.enqueue)
      await call.service.changed(resource, row, permanent || !resource.softDelete ? 'deleted' : 'trashed')
    })
    const how = permanent || !resource.softDelete ? 'permanently' : 'restorably'
    return metaResponse({ message: 'Object successfully deleted', how })
  }

  async function restore(call: Call): Promise<Response> {
    parseQuery(call.url.searchParams, resource, registry, none)
    const actor = requireActor(call.actor)
    const row = await call.service.write(resource, async (tx) => {
      const before = await rowOf(call, true, { tx })
      requireLevel(actor, resource.access.remove, resource, before)
      requireMatch(call.request.headers, before['version'] as number)
      if (!before['deleted_at']) return before
      const after = await restoreRow(tx, call.service.softDeletion, resource, before)
      await call.service.changed(resource, after, 'restored')
      return after
    })
    return documentResponse(200, plainDocument(resource, row), { version: row['version'] as number })
  }

  const { access } = resource
  return [
    describe.list(list),
    ...(access.create === 'nobody' ? [] : [describe.create(create)]),
    describe.read(read),
    ...(access.update === 'nobody' ? [] : [describe.update(update)]),
    ...(access.remove === 'nobody' ? [] : [describe.remove(remove)]),
    ...(access.remove === 'nobody' || !resource.softDelete ? [] : [describe.restore(restore)]),
  ]
}

/** One page of a collection as a document. */
export async function collectionResponse(
  call: Call,
  registry: Registry,
  resource: Resource,
  query: ReadQuery,
  viewer: Viewer,
): Promise<Response> {
  const { db } = call.service
  const { rows, total } = await readPage(db, resource, query, viewer)
  const found = await readIncluded(db, registry, resource, rows, query.include, viewer)
  const writer = createWriter(found, query.fields)
  return readResponse(call.request, {
    links: pageLinks(call.url, query.page, total),
    meta: { count: total },
    data: writer.data(),
    ...(query.hasInclude && { included: writer.included() }),
  })
}

/** One row as a document, with what `include` asks for. */
export async function itemDocument(
  call: Call,
  registry: Registry,
  resource: Resource,
  row: Row,
  query: ReadQuery,
  viewer: Viewer,
) {
  const found = await readIncluded(call.service.db, registry, resource, [row], query.include, viewer)
  const writer = createWriter(found, query.fields)
  return {
    links: { self: call.url.pathname + call.url.search },
    data: writer.data()[0],
    ...(query.hasInclude && { included: writer.included() }),
  }
}

function plainDocument(resource: Resource, row: Row) {
  const found = { resource, rows: [row], included: new Map(), linkage: new Map() }
  return { links: { self: selfLink(resource, row) }, data: createWriter(found, new Map()).data()[0] }
}

/** The answer for what is not there, and for what is in the trash. */
export function notFound(resource: Resource) {
  return problem('not_found', `Expected the id of a live resource of \`${resource.type}\``)
}
