import { type ApiError, type ErrorObject, titleOf } from '../jsonapi/errors.ts'
import { type Document, jsonapi } from '../jsonapi/document.ts'
import { etagOf, isUnchanged } from '../jsonapi/etag.ts'
import { MEDIA_TYPE } from '../jsonapi/media-type.ts'

/** Answers with a document and its validator. */
export function documentResponse(
  status: number,
  document: Omit<Document, 'jsonapi'>,
  options: { readonly version?: number | undefined; readonly headers?: Readonly<Record<string, string>> } = {},
): Response {
  const body = JSON.stringify({ jsonapi, ...document })
  return new Response(body, {
    status,
    headers: {
      'content-type': MEDIA_TYPE,
      vary: 'Accept, Authorization, Cookie',
      'cache-control': 'private, no-cache',
      etag: etagOf(body, options.version),
      ...options.headers,
    },
  })
}

/** Answers a read, or 304 when the client has this representation. */
export function readResponse(request: Request, document: Omit<Document, 'jsonapi'>, version?: number): Response {
  const response = documentResponse(200, document, { version })
  const etag = response.headers.get('etag')!
  if (!isUnchanged(request.headers, etag)) return response
  response.headers.delete('content-type')
  return new Response(null, { status: 304, headers: response.headers })
}

/** Answers with no data, only words about what was done. */
export function metaResponse(meta: Readonly<Record<string, unknown>>): Response {
  return Response.json({ jsonapi, meta }, { headers: { 'content-type': MEDIA_TYPE, vary: 'Accept' } })
}

/** Answers with what went wrong. */
export function errorResponse(error: ApiError, requestId: string): Response {
  const errors: readonly ErrorObject[] = error.errors
  return Response.json(
    { jsonapi, errors, meta: { 'request-id': requestId } },
    { status: error.status, headers: { 'content-type': MEDIA_TYPE, vary: 'Accept', ...error.headers } },
  )
}

/** How the documentation describes an error status. */
export function errorDescription(status: number): string {
  return titleOf(status)
}
