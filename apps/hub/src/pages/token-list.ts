import { toIso } from '../store/time.ts'
import { type ApiToken, HUB_CLIENT } from '../store/tokens.ts'
import { type Html, html } from './html.ts'
import { proofField, type Reader } from './layout.ts'

/** Tokens as a list, each with a button that ends it: not a running server's own, and none without `revokePath`. */
export function tokenList(tokens: readonly ApiToken[], reader: Reader, revokePath?: string): Html {
  const date = (stored: string | null, without: string) => toIso(stored)?.slice(0, 10) ?? without
  const isServersOwn = ({ client_id, note }: ApiToken) =>
    client_id === HUB_CLIENT && note?.startsWith('Server at ') === true
  const words = ({ created, last_activity, expires_at }: ApiToken) =>
    `made ${date(created, '')}, last used ${date(last_activity, 'never')}, ends ${date(expires_at, 'never')}`
  const revoke = ({ id, note }: ApiToken) =>
    html`<form method="post" action="${revokePath}" class="inline">
      ${proofField(reader)}<input type="hidden" name="id" value="${id}" />
      <button class="danger" aria-label="Revoke ${note ?? 'the login'}">Revoke</button>
    </form>`
  if (tokens.length === 0) return html`<p class="hint">There are none yet.</p>`
  return html`<ul class="rows">
    ${tokens.map(
      (token) =>
        html`<li>
          <span class="who"
            ><b>${token.note ?? 'A browser, logged in at a server'}</b><br /><span class="hint"
              >${words(token)}</span
            ></span
          >
          ${revokePath !== undefined && !isServersOwn(token) && revoke(token)}
        </li>`,
    )}
  </ul>`
}
