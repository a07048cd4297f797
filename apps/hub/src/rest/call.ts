import { originOf } from '../http/origin.ts'
import type { Hub } from '../hub.ts'
import { RequestError } from '../errors.ts'
import type { Target } from '../permissions/scope-set.ts'
import type { Requester } from '../requester.ts'
import { findUser, membershipsOf, type User } from '../store/users.ts'
import { type JsonText, jsonText } from './json-text.ts'
import { HUB_VERSION } from '../version.ts'

/** The verbs of the API. */
export type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** One call of the API, its requester known. */
export interface Call {
  readonly hub: Hub
  readonly request: Request
  readonly url: URL
  readonly params: Readonly<Record<string, string>>
  readonly requester: Requester
  /** The body as JSON, `undefined` when it is empty. */
  readonly body: unknown
}

/** A call as it came in; its address is taken apart only when somebody asks. */
export class ApiCall implements Call {
  readonly hub: Hub
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
  readonly requester: Requester
  readonly body: unknown
  #url: URL | undefined

  constructor(
    hub: Hub,
    request: Request,
    params: Readonly<Record<string, string>>,
    requester: Requester,
    body?: unknown,
  ) {
    this.hub = hub
    this.request = request
    this.params = params
    this.requester = requester
    this.body = body
  }

  get url(): URL {
    return (this.#url ??= new URL(this.request.url))
  }

  /** The same call with its body. */
  with(body: unknown): ApiCall {
    return new ApiCall(this.hub, this.request, this.params, this.requester, body)
  }
}

/** One operation: what it needs and what it does. The OpenAPI document is made from it too. */
export type Operation = OperationFacts & (Reading | Doing)

interface Reading {
  /**
   * Finds what is answered as JSON. It must follow from the database, the table of servers, the requester and the
   * address alone: the answer is kept until one of them is another.
   */
  readonly read: (call: Call) => Promise<unknown>
}

interface Doing {
  readonly read?: never
  readonly handle: (call: Call) => Promise<Response> | Response
}

interface OperationFacts {
  readonly summary: string
  /** Any of these scopes will do. None: the call asks for itself. */
  readonly scopes: readonly string[]
  /** Answers beside 403 and 404, status to meaning. */
  readonly answers: Readonly<Record<number, string>>
  /** Properties of the JSON body. */
  readonly body?: Readonly<Record<string, { readonly type: string; readonly description: string }>>
  /** Query parameters: name to meaning. */
  readonly query?: Readonly<Record<string, string>>
  /** Also for callers without a token. */
  readonly anonymous?: true
  /** It is about one server, the user's default one unless the path names another: `!server=` reaches it. */
  readonly ofServer?: true
}

/** A path of the API with its operations; `:name` stands for one path segment. */
export interface Resource {
  readonly path: string
  readonly operations: Readonly<Partial<Record<Verb, Operation>>>
}

/** Headers of every answer of the API. */
export const API_HEADERS: Readonly<Record<string, string>> = {
  'x-jupyterhub-version': HUB_VERSION,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

/** An answer as JSON, complete when it is made: headers that are added later cost more than the rest of it. */
export function json(value: unknown, status = 200, more: Readonly<Record<string, string>> = {}): Response {
  if (status === 200) return tagged(jsonText(value))
  const headers = { 'content-type': 'application/json', ...API_HEADERS, ...more }
  return new Response(JSON.stringify(value), { status, headers })
}

/** An answer with its tag. */
export function tagged({ text, etag }: JsonText): Response {
  return new Response(text, { headers: { 'content-type': 'application/json', ...API_HEADERS, etag } })
}

/** The answer, or 304 to a client that has it already. */
export function unlessKnown(request: Request, answer: Response): Response {
  const known = request.headers.get('if-none-match')
  if (known === null || request.method !== 'GET') return answer
  const etag = answer.headers.get('etag')
  if (etag === null || !(known === '*' || known.includes(etag))) return answer
  return new Response(null, { status: 304, headers: { ...API_HEADERS, etag } })
}

/** An answer without a body; a server call's has the type text/plain, as JupyterHub's. */
export function empty(status: number, type?: string): Response {
  const headers = type === undefined ? API_HEADERS : { ...API_HEADERS, 'content-type': type }
  return new Response(null, { status, headers })
}

/** A refusal as the API words it. */
export function refusal({ status, message, headers }: RequestError): Response {
  return json({ status, message }, status, headers)
}

/** The body as a map, `{}` when it is empty. */
export function bodyMap(call: Call): Readonly<Record<string, unknown>> {
  if (call.body === undefined || call.body === null) return {}
  if (typeof call.body !== 'object' || Array.isArray(call.body)) {
    throw new RequestError(400, 'Body must be a JSON dict or empty')
  }
  return call.body as Record<string, unknown>
}

/** Checks a body's keys and their types, as JupyterHub's models do. */
export function checkKeys(
  body: Readonly<Record<string, unknown>>,
  types: Readonly<Record<string, 'string' | 'boolean' | 'array' | 'object'>>,
  model: string,
): void {
  for (const [key, value] of Object.entries(body)) {
    const type = types[key]
    if (type === undefined) throw new RequestError(400, `Invalid JSON keys: ${key}`)
    const found = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
    if (found !== type) throw new RequestError(400, `${model}.${key} must be ${type}, not: ${found}`)
  }
}

/** A list of texts from a body. */
export function textList(value: unknown, name: string): string[] {
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string')) {
    throw new RequestError(400, `${name} must be a list of texts`)
  }
  return value as string[]
}

/** The user named by the path. */
export async function namedUser(call: Call): Promise<User> {
  const name = call.params['name'] ?? ''
  const { owner } = call.requester
  if (owner.kind === 'user' && owner.user.name === name) return owner.user
  const user = await findUser(call.hub.db, name)
  if (user === undefined) throw new RequestError(404, 'Not Found')
  return user
}

/** Memberships that the requester's scopes may be limited to; looked up only when a scope names a group. */
export async function groupsFor(call: Call, userName: string): Promise<readonly string[]> {
  if (!call.requester.scopes.namesGroups) return []
  const user = await findUser(call.hub.db, userName)
  if (user === undefined) return []
  return (await membershipsOf(call.hub.db, [user.id])).groups.get(user.id) ?? []
}

/**
 * Checks that the requester holds one of the operation's scopes for what the path names.
 *
 * A limit to a server reaches what is about that server, and nothing else of its user.
 *
 * @throws {@link RequestError} 403 when no scope is held at all, 404 when one is held but does not reach that far:
 *   whether the thing exists stays unsaid.
 */
export async function requireScope(call: Call, { scopes, ofServer }: OperationFacts): Promise<void> {
  if (scopes.length === 0) return
  const { scopes: held } = call.requester
  const { name, server = '', group, service } = call.params
  let target: Target = {}
  if (name !== undefined) {
    target = { user: name, groups: await groupsFor(call, name), ...(ofServer === true ? { server } : {}) }
  } else if (group !== undefined) target = { group }
  else if (service !== undefined) target = { service }
  const aimed = name !== undefined || group !== undefined || service !== undefined
  if (scopes.some((scope) => (aimed ? held.allows(scope, target) : held.has(scope)))) return
  if (scopes.some((scope) => held.has(scope))) throw outOfReach()
  const names = scopes.join(', ')
  throw new RequestError(403, `Action is not authorized with current scopes; requires any of [${names}]`)
}

/**
 * Checks that a scope reaches each of the things that a body names; JupyterHub does not.
 *
 * @throws {@link RequestError} 404.
 */
export function requireReach(call: Call, scope: string, targets: readonly Target[]): void {
  if (!targets.every((target) => call.requester.scopes.allows(scope, target))) throw outOfReach()
}

const outOfReach = () => new RequestError(404, 'No access to resources or resources not found')

/** A page of a list: offset and limit from the query. */
export interface Page {
  readonly offset: number
  readonly limit: number
  /** Whether the client understands the paged form. */
  readonly paged: boolean
}

/** Most rows of one page. */
const MAX_PAGE = 200

/** Reads `offset` and `limit`. */
export function pageOf(call: Call): Page {
  const paged = (call.request.headers.get('accept') ?? '').includes('application/jupyterhub-pagination+json')
  const read = (name: string, fallback: number) => {
    const text = call.url.searchParams.get(name)
    if (text === null) return fallback
    if (!/^[+-]?\d+$/.test(text)) {
      throw new RequestError(400, 'Invalid argument type, offset and limit must be integers')
    }
    return Math.min(Math.abs(Number(text)), Number.MAX_SAFE_INTEGER)
  }
  const limit = read('limit', paged ? call.hub.config.limits.page_size : MAX_PAGE)
  return { offset: read('offset', 0), limit: Math.max(1, Math.min(limit, MAX_PAGE)), paged }
}

/** A list in the form the client asked for. */
export function pageModel(call: Call, page: Page, items: unknown, total: number): unknown {
  if (!page.paged) return items
  const { offset, limit } = page
  const { pathname, search } = call.url
  const next = new URL(`${pathname}${search}`, originOf(call.hub.config, call.request))
  next.searchParams.set('offset', String(offset + limit))
  next.searchParams.set('limit', String(limit))
  return {
    items,
    _pagination: {
      offset,
      limit,
      total,
      next: offset + limit < total ? { offset: offset + limit, limit, url: next.href } : null,
    },
  }
}
