import { RequestError } from '../errors.ts'
import { spawnersOf } from '../store/spawners.ts'
import { toMinute } from '../store/time.ts'
import { tokensOf } from '../store/tokens.ts'
import { findUser, type User } from '../store/users.ts'
import { changeUser, deleteUserCompletely } from '../users.ts'
import { serverCard, userPath } from './home.ts'
import { type Html, html } from './html.ts'
import { pageResponse, proofField } from './layout.ts'
import type { PageCall, PageRoute } from './page-route.ts'
import { tokenList } from './token-list.ts'
import { revokeToken } from './tokens.ts'
import { redirect } from './visitor.ts'

/**
 * Refuses whoever is no administrator.
 *
 * @throws {@link RequestError} 403.
 */
export function requireAdmin({ visitor }: PageCall): void {
  if (!visitor.requester.scopes.has('admin-ui')) throw new RequestError(403, 'This page is for administrators')
}

/** The user of the page, if the visitor may do this to him. */
async function subject(call: PageCall, scope: string): Promise<User> {
  requireAdmin(call)
  const { hub, params, visitor } = call
  const user = await findUser(hub.db, params['name'] ?? '')
  const target = { user: user?.name ?? '', groups: await hub.groupsOf(user?.name ?? '') }
  if (user === undefined || !visitor.requester.scopes.allows(scope, target)) {
    throw new RequestError(404, 'There is no such user')
  }
  return user
}

async function show(call: PageCall): Promise<Response> {
  const user = await subject(call, 'read:users')
  const { hub, visitor } = call
  const { reader } = visitor
  const here = userPath(hub.config.base_url, user.name)
  const [stored, tokens, groups] = await Promise.all([
    spawnersOf(hub.db, [user.id]),
    tokensOf(hub.db, user.id, hub.now()),
    hub.groupsOf(user.name),
  ])
  const names = new Set(['', ...stored.map(({ name }) => name)])
  const startedOf = (server: string) => stored.find(({ name }) => name === server)?.started ?? null
  const isAdmin = Boolean(user.admin)
  const isSelf = user.id === visitor.user.id
  const may = (scope: string) => visitor.requester.scopes.allows(scope, { user: user.name, groups })
  const act = (action: string, words: string, style: string, more: Html = html``) =>
    html`<form method="post" action="${here}/${action}">
      ${proofField(reader)}${more}
      <div><button class="${style}">${words}</button></div>
    </form>`
  const body = html`<p class="hint">
      ${isAdmin && html`<span class="tag">admin</span> `}made ${toMinute(user.created)}, last active
      ${toMinute(user.last_activity) ?? 'never'} UTC${groups.length > 0 && html`, in ${groups.join(', ')}`}
    </p>
    ${[...names].map((server) => serverCard(hub, reader, user, server, startedOf(server), 'user'))}
    ${
      may('read:tokens') &&
      html`<h2>Tokens and logins</h2>
        ${tokenList(tokens, reader, may('tokens') ? `${here}/revoke-token` : undefined)}`
    }
    ${
      !isSelf &&
      may('admin:users') &&
      html`<h2>Rights</h2>
        ${isAdmin ? act('revoke-admin', 'Make ordinary user', 'quiet') : act('make-admin', 'Make administrator', 'danger')}`
    }
    ${
      !isSelf &&
      may('delete:users') &&
      html`<h2>Delete</h2>
        ${act(
          'delete',
          `Delete ${user.name}`,
          'danger',
          html`<p class="hint">
              Stops the servers and ends tokens, logins and account. Files and databases stay where they are.
            </p>
            <div class="check">
              <input type="checkbox" id="sure" name="sure" value="yes" required /><label for="sure"
                >${user.name} is to be deleted</label
              >
            </div>`,
        )}`
    }
    <p class="more"><a href="${hub.config.base_url}hub/admin">All users</a></p>`
  return pageResponse(hub.config.base_url, { title: user.name, body, reader })
}

async function remove({ hub, visitor, form }: PageCall, user: User): Promise<void> {
  if (user.id === visitor.user.id) throw new RequestError(400, 'Cannot delete yourself!')
  if (form.get('sure') !== 'yes') throw new RequestError(400, `Say that ${user.name} is to be deleted`)
  await deleteUserCompletely(hub, user)
}

function change(
  action: string,
  scope: string,
  run: (call: PageCall, user: User) => Promise<unknown>,
  next: (base: string, name: string) => string = userPath,
): PageRoute {
  return {
    method: 'POST',
    path: `/admin/users/:name/${action}`,
    async run(call) {
      const user = await subject(call, scope)
      await run(call, user)
      return redirect(next(call.hub.config.base_url, user.name))
    },
  }
}

/** One user with servers, tokens and rights, for administrators. */
export const adminUserRoutes: readonly PageRoute[] = [
  { method: 'GET', path: '/admin/users/:name', run: show },
  change('revoke-token', 'tokens', revokeToken),
  change('make-admin', 'admin:users', ({ hub, visitor }, user) =>
    changeUser(hub, visitor.requester.scopes, user, { admin: true }),
  ),
  change('revoke-admin', 'admin:users', ({ hub, visitor }, user) => {
    if (user.id === visitor.user.id) throw new RequestError(400, 'You cannot take your own rights away')
    return changeUser(hub, visitor.requester.scopes, user, { admin: false })
  }),
  change('delete', 'delete:users', remove, (base) => `${base}hub/admin`),
]
