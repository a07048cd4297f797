import { randomUUID } from 'node:crypto'

import { Hono } from 'hono'

import { findActor } from '../accounts.ts'
import { ApiError, problem } from '../jsonapi/errors.ts'
import { requireAcceptable } from '../jsonapi/media-type.ts'
import type { Log } from '../log.ts'
import type { Service } from '../service.ts'
import { errorResponse } from './answer.ts'
import type { Operation } from './operation.ts'

/** What the server knows of a request and the request does not say. */
interface ClientFacts {
  readonly clientIp?: string | undefined
}

/** Answers requests. */
export type Fetch = (request: Request, facts?: ClientFacts) => Promise<Response>

/**
 * Mounts the operations, with what holds for all of them: request ids, negotiation, sessions, error documents, metrics.
 *
 * @param options - `trustProxy`: takes the request id of the caller.
 */
export function createApp(
  service: Service,
  operations: readonly Operation[],
  options: { readonly log: Log; readonly trustProxy: boolean },
): Fetch {
  const app = new Hono<{ Bindings: ClientFacts }>()
  const byPath = new Map<string, Map<string, Operation>>()
  for (const operation of operations) {
    const methods = byPath.get(operation.path) ?? new Map<string, Operation>()
    byPath.set(operation.path, methods.set(operation.method.toUpperCase(), operation))
  }

  // Fixed paths first: `/v1/events/{id}` must not catch one that is spelled out.
  const paths = [...byPath].sort(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')))
  for (const [path, methods] of paths) {
    const isAccounts = [...methods.values()].some(({ name }) => name[0] === 'Accounts')
    app.all(path.replaceAll(/\{(\w+)\}(?=$|\/)/g, ':$1').replace(/\{(\w+)\+\}$/, ':$1{.+}'), (context) => {
      const { method } = context.req
      const operation = methods.get(method === 'HEAD' ? 'GET' : method)
      const request = context.req.raw
      // What native-auth mounts here it also refuses in its own words.
      if (operation === undefined && isAccounts) return service.accounts.handler(request, context.env)
      if (operation === undefined) return guard(request, undefined, () => Promise.reject(notAllowed(methods)))
      const params = context.req.param() as Record<string, string>
      const { clientIp } = context.env
      return guard(request, operation, (requestId) => run(operation, request, { params, clientIp, requestId }))
    })
  }
  app.all('/v1/*', (context) =>
    guard(context.req.raw, undefined, () =>
      Promise.reject(problem('not_found', 'Expected a path of the API; see /docs')),
    ),
  )
  app.all('*', (context) => service.accounts.handler(context.req.raw, context.env))

  async function run(
    operation: Operation,
    request: Request,
    facts: {
      readonly params: Record<string, string>
      readonly clientIp: string | undefined
      readonly requestId: string
    },
  ): Promise<Response> {
    if (operation.jsonapi) requireAcceptable(request.headers)
    // Operations that are not JSON:API's own know their sessions themselves, and refuse other sites in their own words.
    const isAccounts = operation.name[0] === 'Accounts'
    const isWrite = operation.method !== 'get' && !isAccounts
    if (isWrite && request.headers.get('sec-fetch-site') === 'cross-site' && !request.headers.has('authorization')) {
      throw problem('forbidden', 'Expected no request from another site with a cookie', { header: 'Sec-Fetch-Site' })
    }
    const wantsActor = operation.session !== 'none' && !isAccounts
    const actor = wantsActor ? await findActor(service.accounts, service.db, request) : undefined
    const { params, clientIp, requestId } = facts
    const handle = () => operation.handle({ request, url: new URL(request.url), params, actor, clientIp, service })
    if (actor === undefined) return handle()
    // Jobs that the request starts run in the name of who sent it.
    return service.tasks.runInContext({ requestId, actor: `user:${actor.id}` }, handle, { signal: request.signal })
  }

  async function guard(
    request: Request,
    operation: Operation | undefined,
    work: (requestId: string) => Promise<Response>,
  ): Promise<Response> {
    const started = performance.now()
    const requestId = requestIdOf(request, options.trustProxy)
    service.metrics.inFlight.inc()
    let response: Response
    try {
      response = await service.tasks.runInContext({ requestId }, () => work(requestId), { signal: request.signal })
    } catch (error) {
      response = errorResponse(toApiError(error, requestId, options.log), requestId)
    } finally {
      service.metrics.inFlight.dec()
    }
    response.headers.set('x-request-id', requestId)
    response.headers.set('x-content-type-options', 'nosniff')
    const seconds = (performance.now() - started) / 1000
    service.metrics.observe(operation?.id ?? 'none', request.method, response.status, seconds)
    options.log.info('request', {
      requestId,
      method: request.method,
      path: new URL(request.url).pathname,
      status: response.status,
      ms: Math.round(seconds * 1000),
    })
    return response
  }

  return async (request, facts = {}) => app.fetch(request, facts)
}

function notAllowed(methods: ReadonlyMap<string, Operation>): ApiError {
  const allow = [...methods.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
  return problem('method_not_allowed', `Expected one of ${allow}`, undefined, { headers: { allow } })
}

function toApiError(error: unknown, requestId: string, log: Log): ApiError {
  if (error instanceof ApiError) return error
  // A pool without a free connection and a server that restarts pass; anything else is ours to mend.
  if (isUnavailable(error)) {
    log.warn('database unavailable', { requestId, error })
    return problem('unavailable', 'Expected the database to answer; try again', undefined, {
      headers: { 'retry-after': '1' },
    })
  }
  log.error('unexpected error', { requestId, error })
  return problem('internal', 'Something went wrong on our side; the request id finds it in the log')
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return (
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P03', '53300'].includes(code) ||
    /timeout exceeded when trying to connect|Connection terminated|is not queryable/.test(error.message)
  )
}

function requestIdOf(request: Request, trustProxy: boolean): string {
  const given = trustProxy ? request.headers.get('x-request-id') : null
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}
