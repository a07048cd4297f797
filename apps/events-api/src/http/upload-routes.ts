import type { Upload, Uploader, UploadSource } from '@org/content-sniff'
import type { Ajv, ValidateFunction } from 'ajv'

import { requireActor } from '../access.ts'
import { createTask } from '../jobs/tracking.ts'
import { resizeImage } from '../jobs/definitions.ts'
import { readJson, validate } from '../jsonapi/body.ts'
import { createWriter, selfLink } from '../jsonapi/document.ts'
import { problem, type ProblemSource } from '../jsonapi/errors.ts'
import { parseQuery } from '../jsonapi/query.ts'
import { type Registry, resourceOf } from '../resources/registry.ts'
import type { Actor, Row } from '../resources/resource.ts'
import { columnsOf } from '../store/columns.ts'
import { originalKey, translateRefusal, uploadRow } from '../uploads.ts'
import { documentResponse } from './answer.ts'
import { documentSchema, itemSchema, jsonapiAnswer, ref } from './describe.ts'
import { eachFile } from './multipart.ts'
import type { Call, Operation } from './operation.ts'

const file = { type: 'string', contentMediaType: 'application/octet-stream' }

/** What an image comes in; checks requests and describes them. */
const imageSchema = {
  type: 'object',
  properties: {
    data: { type: 'string', description: 'data:image/png;base64,…' },
    filename: { type: 'string' },
  },
  required: ['data'],
  additionalProperties: false,
} as const

/** Operations that take files in and give them out. */
export function uploadOperations(registry: Registry, ajv: Ajv): Operation[] {
  const uploads = resourceOf(registry, 'uploads')
  const checkImage = ajv.compile(imageSchema)
  const refuseParameters = ({ url }: Call) => parseQuery(url.searchParams, uploads, registry, new Set())
  const answer = (rows: readonly Row[]) =>
    createWriter({ resource: uploads, rows, included: new Map(), linkage: new Map() }, new Map()).data()

  async function uploadFiles(call: Call): Promise<Response> {
    const actor = requireActor(call.actor)
    refuseParameters(call)
    const uploader = call.service.uploaders.files
    const stored = await eachFile(
      call.request,
      call.service.maxUploadBytes,
      (file, signal) => store(call, uploader, file, signal),
      ({ key }) => uploader.delete(key),
    )
    const rows = await keep(call, uploader, stored, actor, 'file')
    return documentResponse(201, { links: { self: '/v1/uploads' }, data: answer(rows) })
  }

  async function uploadImage(call: Call): Promise<Response> {
    const actor = requireActor(call.actor)
    refuseParameters(call)
    const uploader = call.service.uploaders.images
    const image = await readDataUrl(call.request, call.service.maxUploadBytes, checkImage)
    const [row] = await keep(call, uploader, [await store(call, uploader, image)], actor, 'image')
    const self = selfLink(uploads, row!)
    return documentResponse(201, { links: { self }, data: answer([row!])[0] }, { headers: { location: self } })
  }

  async function store(
    call: Call,
    uploader: Uploader,
    { bytes, filename, declaredType, source }: IncomingFile,
    ends?: AbortSignal,
  ): Promise<Upload> {
    const signal = ends === undefined ? call.request.signal : AbortSignal.any([call.request.signal, ends])
    try {
      return await uploader.put(bytes, { filename, declaredType, signal })
    } catch (error) {
      throw translateRefusal(error, source)
    }
  }

  /** Writes the rows of stored files in one transaction; a failure takes the files away again. */
  async function keep(
    call: Call,
    uploader: Uploader,
    stored: readonly Upload[],
    actor: Actor,
    purpose: 'file' | 'image',
  ): Promise<Row[]> {
    try {
      return await call.service.write(uploads, async (tx) => {
        const rows: Row[] = []
        for (const upload of stored) {
          const isImage = purpose === 'image'
          const taskId = isImage ? await createTask(tx, resizeImage.name, actor.id) : null
          const row: Row = await tx
            .insertInto('uploads')
            .values({ ...uploadRow(upload, actor.id, purpose), task_id: taskId })
            .returning(columnsOf(uploads))
            .executeTakeFirstOrThrow()
          if (taskId !== null) await call.service.tasks.enqueue(resizeImage, { taskId, uploadId: row['id'] as number })
          rows.push(row)
        }
        return rows
      })
    } catch (error) {
      await Promise.allSettled(stored.map(({ key }) => uploader.delete(key)))
      throw error
    }
  }

  async function serveFile(call: Call): Promise<Response> {
    const key = call.params['key'] ?? ''
    // PostgreSQL has no NUL, so no key has one.
    const live = key.includes('\0')
      ? undefined
      : await call.service.db.selectFrom('uploads').select('id').where('key', '=', originalKey(key)).executeTakeFirst()
    if (live === undefined) throw problem('not_found', 'Expected the address of a live upload')
    const response = await call.service.uploaders.files.serve(key, call.request)
    // Its row may go to the trash at any time, so nobody keeps it without asking.
    response.headers.set('cache-control', 'private, no-cache')
    return response
  }

  const base = { jsonapi: true, session: 'required', parameters: [], method: 'post' } as const
  return [
    {
      ...base,
      id: 'uploadFiles',
      name: ['Upload', 'Files', 'Upload Files'],
      path: '/v1/upload/files',
      summary: 'Stores files under the type that their bytes show',
      body: {
        mediaType: 'multipart/form-data',
        schema: {
          type: 'object',
          properties: {
            files: { type: 'array', items: file, description: 'One to ten; what is no file is left out.' },
          },
          required: ['files'],
        },
      },
      responses: { 201: jsonapiAnswer('The uploads.', documentSchema({ type: 'array', items: ref('uploads') })) },
      errors: [400, 401, 403, 406, 413, 415, 422],
      handle: uploadFiles,
    },
    {
      ...base,
      id: 'uploadImage',
      name: ['Upload', 'Image', 'Upload an Image'],
      path: '/v1/upload/image',
      summary: 'Stores an image from a data URL and makes its sizes',
      body: {
        mediaType: 'application/json',
        schema: imageSchema,
        example: { data: `data:image/png;base64,${ONE_PIXEL}` },
      },
      responses: {
        201: jsonapiAnswer('The upload; its task makes the sizes.', itemSchema(uploads), { Location: 'Its address.' }),
      },
      errors: [400, 401, 403, 406, 413, 415, 422],
      handle: uploadImage,
    },
    {
      ...base,
      method: 'get',
      jsonapi: false,
      session: 'none',
      id: 'getFile',
      name: ['Upload', 'File', 'Download a File'],
      path: '/files/{key+}',
      summary: 'Serves a stored file so that no browser runs it',
      responses: {
        200: { description: 'The bytes, under their true type.' },
        206: { description: 'The range that was asked for.' },
        304: { description: 'The client has it.' },
        412: { description: 'The precondition does not hold.' },
        416: { description: 'No such range.' },
      },
      errors: [404],
      handle: serveFile,
    },
  ]
}

/** A picture of one transparent pixel. */
const ONE_PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

interface IncomingFile {
  readonly bytes: UploadSource
  readonly filename: string | undefined
  readonly declaredType: string | undefined
  /** Where it stands in the request. */
  readonly source?: ProblemSource
}

/** A data URL comes in a JSON document, so it is held as a whole: images only, up to the limit. */
async function readDataUrl(request: Request, maxBytes: number, check: ValidateFunction): Promise<IncomingFile> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json(?:;|$)/i.test(type)) {
    throw problem('unsupported_media_type', 'Expected `Content-Type: application/json`', { header: 'Content-Type' })
  }
  const body = await readJson(request, Math.ceil(maxBytes / 3) * 4 + 1024)
  validate(check, body)
  const { data, filename } = body as { readonly data: string; readonly filename?: string }
  const source = { pointer: '/data' }
  const comma = data.indexOf(',')
  const match = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+-]+=[\w.+-]+)*;base64$/i.exec(data.slice(0, Math.max(comma, 0)))
  const payload = data.slice(comma + 1)
  if (match === null || !/^[A-Za-z0-9+/]+={0,2}$/.test(payload) || payload.length % 4 !== 0) {
    throw problem('invalid_upload', 'Expected `data` to be a data URL in base64', source)
  }
  return { bytes: Buffer.from(payload, 'base64'), filename, declaredType: match[1], source }
}
