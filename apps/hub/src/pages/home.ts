import type { Hono } from 'hono'

import { RequestError } from '../errors.ts'
import type { Hub } from '../hub.ts'
import { urlName } from '../spawners/names.ts'
import { spawnersOf } from '../store/spawners.ts'
import { toMinute } from '../store/time.ts'
import type { User } from '../store/users.ts'
import { type Html, html } from './html.ts'
import { pageResponse, proofField, type Reader } from './layout.ts'
import type { PageRoute } from './page-route.ts'
import { ownerOf, redirect } from './visitor.ts'

/** Where a browser waits for a server. */
export function pendingPath(hub: Hub, user: string, server: string): string {
  return `${hub.config.base_url}hub/spawn-pending/${urlName(user)}${server === '' ? '' : `/${urlName(server)}`}`
}

/** Where the page of a user is, for administrators. */
export const userPath = (base: string, name: string): string => `${base}hub/admin/users/${urlName(name)}`

/** Pages that a server's buttons can lead back to; without one it is the home page. */
type Next = 'admin' | 'user'

/** A button that does one thing to one server. */
export function serverButton(
  hub: Hub,
  reader: Reader,
  action: 'start' | 'stop' | 'cancel' | 'forget',
  words: string,
  target: { readonly user: string; readonly server: string; readonly next?: Next; readonly quiet?: boolean },
): Html {
  const of = target.server === '' ? `the server of ${target.user}` : `the server ${target.server} of ${target.user}`
  return html`<form method="post" action="${hub.config.base_url}hub/${action}" class="inline">
    ${proofField(reader)}
    <input type="hidden" name="user" value="${target.user}" />
    <input type="hidden" name="server" value="${target.server}" />
    ${target.next !== undefined && html`<input type="hidden" name="next" value="${target.next}" />`}
    <button class="${target.quiet === true ? 'quiet' : action === 'start' ? '' : 'danger'}" aria-label="${words} ${of}">
      ${words}
    </button>
  </form>`
}

/**
 * One server with its buttons.
 *
 * @param next - The page that its buttons lead back to.
 */
export function serverCard(
  hub: Hub,
  reader: Reader,
  user: User,
  server: string,
  started: string | null,
  next?: Next,
): Html {
  const phase = hub.servers.table.phase(user.id, server)
  const failure = phase === 'stopped' ? hub.servers.table.failure(user.id, server) : undefined
  const target = { user: user.name, server, ...(next !== undefined && { next }) }
  const words = { stopped: 'stopped', spawn: 'starting', ready: 'running', stop: 'stopping' }[phase]
  return html`<section class="card">
    <div class="row">
      <h2>${server !== '' ? server : user.name === reader.name ? 'My server' : 'Server'}</h2>
      <span class="tag ${phase}">${words}</span>
    </div>
    ${started !== null && phase === 'ready' && html`<p class="hint">since <time>${toMinute(started)}</time> UTC</p>`}
    ${failure !== undefined && html`<p class="notice bad">The last start failed: ${failure}</p>`}
    <div class="acts">
      ${phase === 'stopped' && serverButton(hub, reader, 'start', 'Start', target)}
      ${phase === 'spawn' && html`<a class="button" href="${pendingPath(hub, user.name, server)}">Show progress</a>`}
      ${phase === 'ready' && html`<a class="button" href="${hub.servers.table.names(user, server).prefix}">Open</a>`}
      ${phase === 'ready' && serverButton(hub, reader, 'stop', 'Stop', target)}
      ${phase === 'stopped' && server !== '' && serverButton(hub, reader, 'forget', 'Delete', target)}
    </div>
  </section>`
}

const home: PageRoute = {
  method: 'GET',
  path: '/home',
  async run({ hub, visitor: { user, reader } }) {
    const stored = await spawnersOf(hub.db, [user.id])
    const startedOf = (name: string) => stored.find((spawner) => spawner.name === name)?.started ?? null
    const named = stored.flatMap(({ name }) => (name === '' ? [] : [name]))
    const body = html`${serverCard(hub, reader, user, '', startedOf(''))}
    ${named.map((name) => serverCard(hub, reader, user, name, startedOf(name)))}
    ${
      hub.config.limits.named_servers > named.length &&
      html`<section class="card">
        <h2>Another server</h2>
        <form method="post" action="${hub.config.base_url}hub/start" class="line">
          ${proofField(reader)}<input type="hidden" name="user" value="${user.name}" /> <label for="server">Name</label
          ><input id="server" name="server" required maxlength="64" />
          <button>Start</button>
        </form>
      </section>`
    }`
    return pageResponse(hub.config.base_url, { title: `Hello, ${user.name}`, body, reader })
  },
}

const start: PageRoute = {
  method: 'POST',
  path: '/start',
  async run({ hub, visitor, form }) {
    const [name, server] = [form.get('user') ?? visitor.user.name, (form.get('server') ?? '').trim()]
    const user = await ownerOf(hub, visitor, name, server, 'servers')
    await hub.checkServerName(user, server)
    if (hub.servers.table.phase(user.id, server) !== 'ready') await hub.servers.start(user, server, {})
    return redirect(pendingPath(hub, user.name, server))
  },
}

/** How long a page waits for a stop before it shows the home page anyway, in milliseconds. */
const STOP_WAIT_MS = 8000

function ending(path: '/stop' | '/cancel' | '/forget'): PageRoute {
  return {
    method: 'POST',
    path,
    async run({ hub, visitor, form }) {
      const server = form.get('server') ?? ''
      const user = await ownerOf(hub, visitor, form.get('user') ?? '', server, 'delete:servers')
      hub.servers.stop(user, server, { cancel: path === '/cancel' })
      await hub.servers.settled(user.id, server, STOP_WAIT_MS)
      if (path === '/forget') {
        if (server === '') throw new RequestError(400, 'Cannot delete the default server')
        await hub.servers.forget(user, server)
      }
      const { base_url: base } = hub.config
      const next = form.get('next')
      if (next === 'user') return redirect(userPath(base, user.name))
      return redirect(`${base}hub/${next === 'admin' ? 'admin' : 'home'}`)
    },
  }
}

/** The page that everybody starts from, and what its buttons do. */
export const homeRoutes: readonly PageRoute[] = [home, start, ending('/stop'), ending('/cancel'), ending('/forget')]

/** The door: to the home page, or to the login page. */
export function mountRoot(app: Hono, hub: Hub): void {
  const { base_url: base } = hub.config
  app.get(base, () => redirect(`${base}hub/`))
  if (base !== '/') app.get(base.slice(0, -1), () => redirect(`${base}hub/`))
  const door = async (request: Request) => {
    const session = await hub.accounts.session(request)
    const next = encodeURIComponent(`${base}hub/`)
    return redirect(session === undefined ? `${base}hub/login?next=${next}` : `${base}hub/home`)
  }
  app.get(`${base}hub/`, ({ req }) => door(req.raw))
  app.get(`${base}hub`, ({ req }) => door(req.raw))
}
