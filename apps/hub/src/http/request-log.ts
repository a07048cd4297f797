import { randomUUID } from 'node:crypto'

import type { HttpBindings } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'

import type { Hub } from '../hub.ts'

/** Gives each request an id, tells it in the answer and writes a line: changes as `info`, readings as `debug`. */
export function logRequests(hub: Hub): MiddlewareHandler<{ Bindings: HttpBindings }> {
  return async (context, next) => {
    const { method } = context.req
    const given = context.req.header('x-request-id')
    const id = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
    const begun = performance.now()
    // Beside the answer: its headers, once looked at, are built and checked one by one, which costs as much as the rest.
    context.env.outgoing.setHeader('x-request-id', id)
    await next()
    const { status } = context.res
    hub.requests.count(method, status, performance.now() - begun)
    const level = status >= 500 ? 'warn' : method === 'GET' ? 'debug' : 'info'
    // The path only: a query can hold a code or a search for a person.
    hub.log(level, 'request', { id, method, path: context.req.path, status, ms: Math.round(performance.now() - begun) })
  }
}
