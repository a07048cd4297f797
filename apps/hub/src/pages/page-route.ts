import type { Hono } from 'hono'

import { readText } from '../http/body.ts'
import type { Hub } from '../hub.ts'
import { errorPage } from './error-page.ts'
import { toLogin, type Visitor, visitorOf } from './visitor.ts'

/** What a page gets. */
export interface PageCall {
  readonly hub: Hub
  readonly request: Request
  readonly url: URL
  readonly params: Readonly<Record<string, string>>
  readonly visitor: Visitor
  /** The posted fields; empty for GET. */
  readonly form: URLSearchParams
}

/** One page, or what one of its forms does. Only for those who are logged in. */
export interface PageRoute {
  readonly method: 'GET' | 'POST'
  /** Below `hub`; `:name` stands for one segment. */
  readonly path: string
  readonly run: (call: PageCall) => Promise<Response> | Response
}

/** Mounts pages: who is not logged in goes to the login page, a form without its proof is refused. */
export function mountPages(app: Hono, hub: Hub, routes: readonly PageRoute[]): void {
  for (const { method, path, run } of routes) {
    app.on(method, `${hub.config.base_url}hub${path}`, async ({ req }) => {
      const request = req.raw
      try {
        // Before the visitor: a body comes as slowly as its sender likes, and who he is may change meanwhile.
        const posted = method === 'POST' ? await readText(request) : undefined
        const visitor = await visitorOf(hub, request)
        if (visitor === undefined) return toLogin(hub, request)
        const form = posted === undefined ? new URLSearchParams() : hub.forms.check(posted, visitor.requester.sessionId)
        const params = req.param() as Record<string, string>
        return await run({ hub, request, url: new URL(request.url), params, visitor, form })
      } catch (error) {
        return errorPage(hub, request, error)
      }
    })
  }
}
