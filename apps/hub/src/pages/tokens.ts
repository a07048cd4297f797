import { RequestError } from '../errors.ts'
import { issueToken } from '../rest/tokens.ts'
import { deleteToken, tokensOf } from '../store/tokens.ts'
import type { User } from '../store/users.ts'
import { type Html, html } from './html.ts'
import { pageResponse, proofField } from './layout.ts'
import type { PageCall, PageRoute } from './page-route.ts'
import { tokenList } from './token-list.ts'
import { redirect } from './visitor.ts'

const lives: Readonly<Record<string, string>> = {
  3600: '1 hour',
  86400: '1 day',
  604800: '1 week',
  2592000: '30 days',
  0: 'no end',
}

async function page(call: PageCall, notice?: Html): Promise<Response> {
  const { hub, visitor } = call
  const { user, reader } = visitor
  const here = `${hub.config.base_url}hub/token`
  const tokens = await tokensOf(hub.db, user.id, hub.now())
  const body = html`${notice}
    <form method="post" action="${here}">
      ${proofField(reader)}
      <div class="field">
        <label for="note">What it is for</label><input id="note" name="note" maxlength="200" required />
      </div>
      <div class="field">
        <label for="life">Lasts</label>
        <select id="life" name="life">
          ${Object.entries(lives).map(
            ([value, words]) =>
              html`<option value="${value}" ${value === '2592000' && html`selected`}>${words}</option>`,
          )}
        </select>
      </div>
      <button>Make a token</button>
    </form>
    <h2>Tokens and logins</h2>
    ${tokenList(tokens, reader, `${here}/revoke`)}`
  return pageResponse(hub.config.base_url, { title: 'Tokens', body, reader, wide: true })
}

async function create(call: PageCall): Promise<Response> {
  const { hub, visitor, form } = call
  const life = Number(form.get('life') ?? '2592000')
  if (!(String(life) in lives)) throw new RequestError(400, 'Choose how long the token lasts')
  const { token } = await issueToken(hub, visitor.user, {
    note: (form.get('note') ?? '').slice(0, 200) || 'Requested via token page',
    scopes: ['inherit'],
    expiresAt: life === 0 ? undefined : new Date(hub.now().getTime() + life * 1000),
  })
  return page(
    call,
    html`<div class="notice" role="status">
      <p>Copy it now, it is not shown again:</p>
      <code class="secret" id="token">${token}</code>
    </div>`,
  )
}

/** Ends the token of a user that the posted form names, if he has it. */
export async function revokeToken({ hub, form }: PageCall, user: User): Promise<void> {
  const tokens = await tokensOf(hub.db, user.id, hub.now())
  const token = tokens.find(({ id }) => String(id) === form.get('id'))
  if (token !== undefined) await deleteToken(hub.db, token)
}

async function revoke(call: PageCall): Promise<Response> {
  const { hub, visitor } = call
  await revokeToken(call, visitor.user)
  return redirect(`${hub.config.base_url}hub/token`)
}

/** A user's tokens. */
export const tokenRoutes: readonly PageRoute[] = [
  { method: 'GET', path: '/token', run: (call) => page(call) },
  { method: 'POST', path: '/token', run: create },
  { method: 'POST', path: '/token/revoke', run: revoke },
]
