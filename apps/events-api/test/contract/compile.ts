import type { OpenApiDocument } from '../../src/openapi/document.ts'
import type { Transaction } from './transaction.ts'

/** An operation of the description, as far as the run looks into it. */
export interface Described {
  readonly operationId: string
  readonly 'x-name': string
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly parameters: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: unknown; readonly example?: unknown }>>
  }
  readonly responses: Readonly<Record<string, DescribedAnswer>>
}

export interface DescribedAnswer {
  readonly content?: Readonly<Record<string, { readonly schema: unknown }>>
  readonly headers?: Readonly<Record<string, unknown>>
}

type Request = Transaction['request']

/** One operation of the description with its place. */
export interface Placed {
  readonly method: string
  readonly path: string
  readonly operation: Described
}

/** All operations of a description. */
export function operationsOf(document: OpenApiDocument): Placed[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation: operation as Described })),
  )
}

/** Makes a transaction of each documented status of each operation; the hooks mend what a rule cannot know. */
export function compile(document: OpenApiDocument): Transaction[] {
  return operationsOf(document).flatMap(({ method, path, operation }) => {
    const success = Object.keys(operation.responses).find((status) => status.startsWith('2')) ?? ''
    return Object.keys(operation.responses)
      .filter((status) => status !== 'default')
      .map((status) => ({
        name: status === success ? operation['x-name'] : `${operation['x-name']} > ${status}`,
        operationId: operation.operationId,
        method: method.toUpperCase(),
        path,
        status: Number(status),
        request: provoke(Number(status), exampleRequest(path, operation), method, operation),
      }))
  })
}

function exampleRequest(path: string, operation: Described): Request {
  const [mediaType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
  return {
    path: path.replaceAll(/\{\w+\}/g, '1'),
    query: '',
    as: operation.security === undefined ? undefined : 'organiser',
    headers: {
      accept: '*/*',
      ...(mediaType !== undefined && mediaType !== 'multipart/form-data' && { 'content-type': mediaType }),
    },
    body: structuredClone(content?.example),
  }
}

/** One for all: each transaction keeps its request to the end of the run. */
const TOO_LARGE = 'x'.repeat(2 * 1024 * 1024)

/** Changes a good request into one that must end in the status. */
function provoke(status: number, request: Request, method: string, operation: Described): Request {
  const takes = (name: string) => operation.parameters.some((parameter) => parameter.name === name)
  const isWrite = method !== 'get'
  const trash = takes('with_trashed') ? 'with_trashed=true' : ''
  switch (status) {
    case 400:
      return { ...request, query: 'nope=1' }
    case 401:
      return { ...request, as: undefined, query: isWrite ? '' : trash }
    case 403:
      return { ...request, as: 'member', query: isWrite ? '' : trash }
    case 404:
      return { ...request, path: request.path.replace('/1', '/999999'), body: pointElsewhere(request.body) }
    case 406:
      return { ...request, headers: { ...request.headers, accept: 'application/vnd.api+json; version=2' } }
    case 409:
      return { ...request, body: otherType(request.body) }
    case 412:
      return { ...request, headers: { ...request.headers, 'if-match': '"v999.stale"' } }
    case 413:
      return { ...request, body: { data: TOO_LARGE } }
    case 415:
      return { ...request, headers: { ...request.headers, 'content-type': 'text/plain' } }
    case 422:
      return { ...request, body: spoil(request.body) }
    default:
      return request
  }
}

type Document = { data: unknown }

function pointElsewhere(body: unknown): unknown {
  return body === undefined ? undefined : JSON.parse(JSON.stringify(body).replaceAll('"id":"1"', '"id":"999999"'))
}

function otherType(body: unknown): unknown {
  return body === undefined ? undefined : { data: { ...((body as Document).data as object), type: 'comets' } }
}

/** An attribute that there is not, or linkage to another type. */
function spoil(body: unknown): unknown {
  const { data } = (body ?? {}) as Document
  if (Array.isArray(data)) return { data: [{ type: 'comets', id: '1' }] }
  if (typeof data !== 'object' || data === null) return body
  if (!('attributes' in data)) return { data: { type: 'comets', id: '1' } }
  return { data: { ...data, attributes: { ...(data.attributes as object), 'no-such-attribute': 1 } } }
}
