import type { Hono } from 'hono'

import type { Hub } from '../hub.ts'
import { html } from './html.ts'
import { pendingPath, serverButton } from './home.ts'
import { pageResponse } from './layout.ts'
import type { PageCall, PageRoute } from './page-route.ts'
import { ownerOf, redirect, toLogin, visitorOf } from './visitor.ts'
import { errorPage } from './error-page.ts'

async function pending({ hub, params, visitor }: PageCall): Promise<Response> {
  const server = params['server'] ?? ''
  const user = await ownerOf(hub, visitor, params['name'] ?? '', server, 'servers')
  const phase = hub.servers.table.phase(user.id, server)
  const { prefix, progressPath } = hub.servers.table.names(user, server)
  const target = { user: user.name, server }
  if (phase === 'ready') return redirect(prefix)
  const failure = hub.servers.table.failure(user.id, server)
  const { reader } = visitor
  if (phase === 'stopped' && failure !== undefined) {
    const tail = await hub.servers.logTail(user, server)
    const body = html`<p class="notice bad" role="alert">${failure}</p>
      ${
        tail !== '' &&
        html`<h2>The last lines of its log</h2>
          <pre tabindex="0">${tail}</pre>`
      }
      <div class="acts">${serverButton(hub, reader, 'start', 'Try again', target)}</div>`
    return pageResponse(hub.config.base_url, { title: 'The server did not start', body, reader, wide: true }, 500)
  }
  if (phase !== 'spawn') return redirect(`${hub.config.base_url}hub/home`)
  const body = html`<p id="message" role="status">The server is starting.</p>
    <progress id="bar" max="100" value="0" aria-label="Progress of the start"></progress>
    <ol id="steps" class="hint" data-events="${progressPath}" data-self="${pendingPath(hub, user.name, server)}"></ol>
    <div class="acts">${serverButton(hub, reader, 'cancel', 'Cancel', target)}</div>`
  // Without scripts the page asks again by itself.
  const head = html`<noscript><meta http-equiv="refresh" content="2" /></noscript>`
  return pageResponse(hub.config.base_url, {
    title: 'Your server is starting',
    body,
    reader,
    head,
    scripts: ['spawn-pending.js'],
  })
}

const spawn: PageRoute = {
  method: 'GET',
  path: '/spawn',
  // JupyterHub starts a server here; a link must not change anything, so this shows the button.
  run: ({ hub }) => redirect(`${hub.config.base_url}hub/home`),
}

/** Waiting for a server, and why one did not start. */
export const spawnRoutes: readonly PageRoute[] = [
  spawn,
  { method: 'GET', path: '/spawn-pending/:name', run: pending },
  { method: 'GET', path: '/spawn-pending/:name/:server', run: pending },
]

/** What a browser or a program gets at the address of a server that does not run. */
export function mountStoppedServers(app: Hono, hub: Hub): void {
  const { base_url: base } = hub.config
  // The proxy has no route, so the request came here: on to the page below hub/, where the login cookie is sent.
  app.all(`${base}user/*`, ({ req }) => {
    const { pathname, search } = new URL(req.url)
    return redirect(`${base}hub/${pathname.slice(base.length)}${search}`)
  })
  app.all(`${base}hub/user/:name/*`, ({ req }) => stopped(hub, req.raw, req.param('name')))
  app.all(`${base}hub/user/:name`, ({ req }) => stopped(hub, req.raw, req.param('name')))
}

async function stopped(hub: Hub, request: Request, name: string): Promise<Response> {
  const { base_url: base } = hub.config
  const { pathname, search } = new URL(request.url)
  const rest = pathname.slice(`${base}hub/user/`.length).split('/').slice(1)
  try {
    const server = await hub.serverInPath(name, rest)
    // An API call of a server's page: a program wants to know, not to be led to a form.
    const isCall = rest.includes('api') || request.headers.get('accept')?.includes('application/json') === true
    if (server.phase === 'ready' && request.method === 'GET') {
      return redirect(`${base}${pathname.slice(`${base}hub/`.length)}${search}`)
    }
    if (isCall) {
      const message = `The server of ${name} does not run. It can be started at ${base}hub/home`
      return Response.json({ status: 424, message }, { status: 424 })
    }
    const visitor = await visitorOf(hub, request)
    if (visitor === undefined) return toLogin(hub, request)
    const user = await ownerOf(hub, visitor, name, server.name, 'servers')
    if (server.phase === 'spawn') return redirect(pendingPath(hub, user.name, server.name))
    const { reader } = visitor
    const body = html`<p>This server does not run. What lies in its folder is still there.</p>
      <div class="acts">${serverButton(hub, reader, 'start', 'Start', { user: user.name, server: server.name })}</div>`
    return pageResponse(base, { title: 'The server is stopped', body, reader }, 424)
  } catch (error) {
    return errorPage(hub, request, error)
  }
}
