import { html } from '../../internal/html.ts'
import { readForm } from '../body.ts'
import type { Route } from '../route.ts'
import { redirect } from '../respond.ts'
import { button } from './forms.ts'
import { loginFirst, pageRoute } from './page-route.ts'
import { page } from './render.ts'

const day = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

/** `GET /account`, `POST /account/sessions`: what its owner sees of an account. */
export function accountRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    pageRoute('GET', '/account', async (call) => {
      const session = await call.session()
      if (session === undefined) return redirect(loginFirst(call))
      const sessions = await call.site.auth.sessions.list(session.account.id)
      const { basePath, core } = call.site
      return page(call, {
        kind: 'account',
        title: session.account.displayName,
        content: (view) => html`
          <p><a href="${basePath}/change-password">Change password</a></p>
          ${
            core.options.secondFactor !== 'off' &&
            html`<p>
              <a href="${basePath}/second-factor">Second factor</a>
              <span class="tag">${session.account.hasSecondFactor ? 'on' : 'off'}</span>
            </p>`
          }
          <h2>Where you are logged in</h2>
          <ul class="people">
            ${sessions.map(
              (one) =>
                html`<li>
                  <div class="who">
                    ${one.userAgent ?? 'Unknown program'}
                    <p class="hint">Last used ${day(one.usedAt)} UTC${one.ip !== undefined && ` from ${one.ip}`}</p>
                  </div>
                  ${
                    one.id === session.id
                      ? html`<span class="tag">this session</span>`
                      : button(
                          view,
                          `${basePath}/account/sessions`,
                          'End',
                          'quiet',
                          { id: one.id },
                          `session of ${day(one.usedAt)}`,
                        )
                  }
                </li>`,
            )}
          </ul>
          ${button(view, `${basePath}/account/sessions`, 'Log out everywhere', 'danger', { id: 'all' })}
        `,
      })
    }),
    pageRoute('POST', '/account/sessions', async (call) => {
      const { account } = await call.needSession()
      const fields = readForm(call)
      call.checkForm(fields)
      const id = fields.get('id') ?? ''
      const { auth, basePath } = call.site
      if (id !== 'all') {
        await auth.sessions.revoke(account.id, id)
        return redirect(`${basePath}/account`, call.headers)
      }
      await auth.sessions.revokeAll(account.id, { actorId: account.id, ip: call.ip })
      call.logOut()
      return redirect(`${basePath}/login`, call.headers)
    }),
  ]
}
