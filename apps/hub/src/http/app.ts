import { Hono } from 'hono'

import { RequestError } from '../errors.ts'
import type { Hub } from '../hub.ts'
import { mountOAuth, SESSION_COOKIE } from '../oauth/routes.ts'
import { adminRoutes } from '../pages/admin.ts'
import { mountApiDocs } from '../pages/api-docs.ts'
import { mountAssets } from '../pages/assets.ts'
import { databaseRoutes } from '../pages/databases.ts'
import { errorPage } from '../pages/error-page.ts'
import { homeRoutes, mountRoot } from '../pages/home.ts'
import { mountPages } from '../pages/page-route.ts'
import { mountStoppedServers, spawnRoutes } from '../pages/spawn.ts'
import { redirect } from '../pages/visitor.ts'
import { tokenRoutes } from '../pages/tokens.ts'
import { mountApi, resources } from '../rest/api.ts'
import { refusal } from '../rest/call.ts'
import { readText } from './body.ts'
import { clientIp } from './client-ip.ts'
import { toRequestError } from './errors.ts'
import { mountHealth } from './health.ts'
import { logRequests } from './request-log.ts'

/** The whole hub as one fetch handler. */
export function createApp(hub: Hub): Hono {
  const app = new Hono()
  const base = `${hub.config.base_url}hub`
  const api = `${base}/api`
  app.use(logRequests(hub))
  mountHealth(app, hub)
  mountOAuth(app, hub, `${api}/oauth2`)
  mountApiDocs(app, hub, api, resources)
  mountApi(app, hub, api)
  mountAssets(app, base)
  mountRoot(app, hub)
  mountPages(app, hub, [...homeRoutes, ...spawnRoutes, ...tokenRoutes, ...databaseRoutes, ...adminRoutes])
  mountStoppedServers(app, hub)
  mountProxyErrors(app, hub, base)
  app.post(`${base}/logout`, ({ req }) => logOut(hub, req.raw))
  app.all(`${api}/*`, () => refusal(new RequestError(404, 'Not Found')))
  app.all(`${base}/*`, ({ req }) => hub.accounts.handle(req.raw, clientIp(req.raw)))
  app.notFound(({ req }) => errorPage(hub, req.raw, new RequestError(404, 'There is nothing here')))
  app.onError((error, { req }) =>
    req.path.startsWith(`${api}/`) ? refusal(toRequestError(hub, error)) : errorPage(hub, req.raw, error),
  )
  return app
}

/** Ends a login: the browser's session, and with it all that servers got through it. */
async function logOut(hub: Hub, request: Request): Promise<Response> {
  const session = await hub.accounts.session(request)
  const text = await readText(request)
  const ours = new URLSearchParams(text).get('_xsrf') ?? ''
  let answer: Response
  if (session !== undefined && hub.forms.isValid(ours, session.sessionId)) {
    answer = redirect(`${hub.config.base_url}hub/login`)
    answer.headers.append('set-cookie', await hub.accounts.logOut(request))
  } else {
    // The authenticator's own pages carry proofs of their own.
    const { url, method, headers } = request
    answer = await hub.accounts.handle(new Request(url, { method, headers, body: text }), clientIp(request))
  }
  if (session === undefined || answer.status >= 400) return answer
  const headers = new Headers(answer.headers)
  headers.append('set-cookie', `${SESSION_COOKIE}=; Path=${hub.config.base_url}; Max-Age=0`)
  return new Response(answer.body, { status: answer.status, headers })
}

/** Pages that the proxy shows when it has no route, or nothing answers behind one. */
function mountProxyErrors(app: Hono, hub: Hub, base: string): void {
  const words: Readonly<Record<string, string>> = {
    404: 'There is nothing here',
    503: 'The server did not answer. It may have stopped; its owner finds it on the home page.',
  }
  app.get(`${base}/error/:status`, ({ req }) => {
    const status = Number(req.param('status'))
    const known = words[String(status)]
    return errorPage(
      hub,
      req.raw,
      new RequestError(known === undefined ? 404 : status, known ?? 'There is nothing here'),
    )
  })
}
