import { randomUUID } from 'node:crypto'

import type { MiddlewareHandler } from 'hono'

import type { Hub } from '../hub.ts'

/** Gives each request an id, tells it in the answer and writes a line: changes as `info`, readings as `debug`. */
export function logRequests(hub: Hub): MiddlewareHandler {
  return async (context, next) => {
    const { method } = context.req
    const given = context.req.header('x-request-id')
    const id = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
    const begun = performance.now()
    await next()
    const { status } = context.res
    // Not by the context, which would make a new answer of a finished one.
    context.res.headers.set('x-request-id', id)
    hub.requests.count(method, status, performance.now() - begun)
    const level = status >= 500 ? 'warn' : method === 'GET' ? 'debug' : 'info'
    // The path only: a query can hold a code or a search for a person.
    hub.log(level, 'request', { id, method, path: context.req.path, status, ms: Math.round(performance.now() - begun) })
  }
}
