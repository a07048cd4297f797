import { RequestError } from '../errors.ts'
import { isUserName } from '../spawners/names.ts'
import { spawnersOf } from '../store/spawners.ts'
import { toMinute } from '../store/time.ts'
import { createUsers, findUser, listUsers, type User } from '../store/users.ts'
import { listedUsers } from '../users.ts'
import { adminUserRoutes, requireAdmin } from './admin-user.ts'
import { type Html, html } from './html.ts'
import { serverButton, userPath } from './home.ts'
import { pageResponse, proofField } from './layout.ts'
import type { PageCall, PageRoute } from './page-route.ts'
import { redirect } from './visitor.ts'

async function list(call: PageCall): Promise<Response> {
  requireAdmin(call)
  const { hub, visitor, url } = call
  const { reader } = visitor
  const search = (url.searchParams.get('q') ?? '').slice(0, 255)
  const limit = hub.config.limits.page_size
  const page = Math.max(1, Math.trunc(Number(url.searchParams.get('page') ?? '1')) || 1)
  const { users, total } = await listUsers(
    hub.db,
    { nameContains: search, ...listedUsers(visitor.requester.scopes) },
    { offset: (page - 1) * limit, limit },
    true,
  )
  const ids = users.map(({ id }) => id)
  const servers = Map.groupBy(await spawnersOf(hub.db, ids), (spawner) => spawner.user_id)
  const here = `${hub.config.base_url}hub/admin`
  const link = (to: number) =>
    `${here}?${new URLSearchParams({ ...(search === '' ? {} : { q: search }), page: String(to) }).toString()}`
  const pages = Math.max(1, Math.ceil(total / limit))
  const body = html`<form method="get" action="${here}" class="search" role="search">
      <input name="q" value="${search}" aria-label="Part of a name" placeholder="Part of a name" />
      <button class="quiet">Search</button>
    </form>
    <ul class="rows">
      ${users.map((user) =>
        userRow(
          call,
          user,
          (servers.get(user.id) ?? []).map(({ name }) => name),
        ),
      )}
    </ul>
    ${total === 0 && html`<p>Nobody of that name.</p>`}
    <div class="pager">
      <span>${total} ${total === 1 ? 'user' : 'users'}, page ${page} of ${pages}</span>
      <span class="row"
        >${page > 1 && html`<a href="${link(page - 1)}" rel="prev">Previous</a>`}
        ${page < pages && html`<a href="${link(page + 1)}" rel="next">Next</a>`}</span
      >
    </div>
    ${
      visitor.requester.scopes.has('admin:users') &&
      html`<h2>Add a user</h2>
        <form method="post" action="${here}/users" class="line">
          ${proofField(reader)}<label for="name">Name</label><input id="name" name="name" maxlength="255" required />
          <button>Add</button>
        </form>`
    }`
  return pageResponse(hub.config.base_url, { title: 'Users', body, reader, wide: true })
}

function userRow({ hub, visitor }: PageCall, user: User, named: readonly string[]): Html {
  const { reader } = visitor
  const isAdmin = Boolean(user.admin)
  const names = new Set(['', ...named])
  return html`<li>
    <span class="who"
      ><a href="${userPath(hub.config.base_url, user.name)}">${user.name}</a>
      ${isAdmin && html`<span class="tag">admin</span>`}<br /><span class="hint"
        >last active ${toMinute(user.last_activity) ?? 'never'}</span
      ></span
    >
    <span class="acts">
      ${[...names].map((server) => {
        const phase = hub.servers.table.phase(user.id, server)
        const target = { user: user.name, server, next: 'admin' as const, quiet: true }
        if (phase === 'stopped') return server === '' && serverButton(hub, reader, 'start', 'Start', target)
        if (phase !== 'ready') return html`<span class="tag">${phase === 'spawn' ? 'starting' : 'stopping'}</span>`
        return html`<a class="button" href="${hub.servers.table.names(user, server).prefix}">Open ${server}</a>
          ${serverButton(hub, reader, 'stop', server === '' ? 'Stop' : `Stop ${server}`, target)}`
      })}
    </span>
  </li>`
}

async function add(call: PageCall): Promise<Response> {
  requireAdmin(call)
  const { hub, form, visitor } = call
  const name = (form.get('name') ?? '').trim().toLowerCase()
  if (!isUserName(name)) throw new RequestError(400, 'This cannot be a name: it needs characters other than slashes')
  if (!visitor.requester.scopes.allows('admin:users', { user: name })) {
    throw new RequestError(403, `You may not add ${name}`)
  }
  if ((await findUser(hub.db, name)) !== undefined) throw new RequestError(409, `User ${name} already exists`)
  await createUsers(hub.db, [name], false, hub.now())
  return redirect(`${hub.config.base_url}hub/admin?q=${encodeURIComponent(name)}`)
}

/** Users and their servers, for administrators. */
export const adminRoutes: readonly PageRoute[] = [
  { method: 'GET', path: '/admin', run: list },
  { method: 'POST', path: '/admin/users', run: add },
  ...adminUserRoutes,
]
