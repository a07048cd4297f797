import type { Account } from '../../accounts/account.ts'
import type { Actor } from '../../accounts/administer.ts'
import { invalid, NativeAuthError } from '../../errors.ts'
import { type Html, html } from '../../internal/html.ts'
import { readForm } from '../body.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import { redirect } from '../respond.ts'
import { button, field, form } from './forms.ts'
import { pageRoute } from './page-route.ts'
import { page } from './render.ts'
import type { PageView } from './views.ts'

type FormView = Omit<PageView<never>, 'account' | 'body'>

/** What an account is, as short labels. */
export function tags<Profile>(account: Account<Profile>): Html {
  const reason = account.blockedReason === undefined ? '' : `: ${account.blockedReason}`
  return html`<span class="tag">${account.isAuthorised ? 'authorised' : 'waiting'}</span>
    ${account.isAdmin && html`<span class="tag">administrator</span>`}
    ${account.hasSecondFactor && html`<span class="tag">two factors</span>`}
    ${account.isBlocked && html`<span class="tag">blocked${reason}</span>`}`
}

/** The button that lets somebody in or out. */
export function authoriseButton<Profile>(view: FormView, account: Account<Profile>, subject: string): Html {
  const [label, action] = account.isAuthorised ? ['Unauthorise', 'unauthorise'] : ['Authorise', 'authorise']
  const path = `${view.basePath}/authorize/${encodeURIComponent(account.username)}`
  return button(view, path, label, 'quiet', { action }, subject)
}

function personPage<Profile>(call: Call<Profile>, account: Account<Profile>): Promise<Response> {
  const name = encodeURIComponent(account.username)
  return page(call, {
    kind: 'person',
    title: account.displayName,
    content: (view) => {
      const path = `${view.basePath}/authorize/${name}`
      const act = (label: string, action: string, style: 'quiet' | 'danger' = 'quiet') =>
        html`<li>${button(view, path, label, style, { action })}</li>`
      return html`
        <p>${account.username} ${account.email} ${tags(account)}</p>
        <ul class="acts">
          <li>${authoriseButton(view, account, '')}</li>
          ${act('Make a link to a new password', 'link')} ${act('Forget wrong passwords', 'unlock')}
          ${act('End all sessions', 'sign-out')}
          ${account.hasSecondFactor && act('Switch off second factor', 'reset-second-factor', 'danger')}
          ${account.isAdmin ? act('Make ordinary user', 'withdraw-admin', 'danger') : act('Make administrator', 'grant-admin', 'danger')}
          ${account.isBlocked && act('Unblock', 'unblock')}
          ${!account.isAuthorised && html`<li>${button(view, `${view.basePath}/discard/${name}`, 'Discard', 'danger')}</li>`}
        </ul>
        ${
          !account.isBlocked &&
          html`<h2>Block</h2>
            ${form(
              view,
              path,
              html`<input type="hidden" name="action" value="block" />
                ${field(view, { name: 'reason', label: 'Reason', autocomplete: 'off', required: false, maxlength: 500 })}
                ${field(view, { name: 'days', label: 'Days', autocomplete: 'off', required: false, inputmode: 'numeric', hint: 'Empty: until somebody unblocks.' })}
                <button class="danger">Block</button>`,
            )}`
        }
        <p class="more"><a href="${view.basePath}/change-password/${name}">Set a password</a></p>
        <p class="more"><a href="${view.basePath}/authorize">All accounts</a></p>
      `
    },
  })
}

async function act<Profile>(call: Call<Profile>, name: string, fields: URLSearchParams, actor: Actor) {
  const { auth } = call.site
  const { accounts, links, secondFactor, sessions } = auth
  const action = fields.get('action') ?? ''
  switch (action) {
    // The button says what is wanted, so that two administrators do not undo each other.
    case 'authorise':
      return void (await accounts.authorise(name, actor))
    case 'unauthorise':
      return void (await accounts.unauthorise(name, actor))
    case 'block': {
      const days = Number(fields.get('days') ?? 0)
      if (!(days >= 0 && days <= 36_500)) throw invalid('days', 'number', 'Give a number of days')
      const until = days > 0 ? call.site.core.now() + days * 86_400_000 : undefined
      return void (await accounts.block(name, { reason: fields.get('reason') ?? undefined, until }, actor))
    }
    case 'unblock':
      return void (await accounts.unblock(name, actor))
    case 'grant-admin':
    case 'withdraw-admin':
      return void (await accounts.setAdmin(name, action === 'grant-admin', actor))
    case 'reset-second-factor':
      return void (await secondFactor.reset(name, actor))
    case 'sign-out':
      return void (await sessions.revokeAll(name, actor))
    case 'unlock':
      return auth.unlock(name, actor)
    case 'link':
      return links.createReset(name, actor)
    default:
      throw invalid('action', 'action', 'There is no such action')
  }
}

/** `GET` and `POST /authorize/{name}`, `POST /discard/{name}`; for administrators. */
export function personRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    pageRoute('GET', '/authorize/*', async (call) => {
      await call.needAdmin()
      const account = await call.site.auth.accounts.get(call.params[0] ?? '')
      if (account !== undefined) return personPage(call, account)
      throw new NativeAuthError('NATIVE_AUTH_NOT_FOUND', 'There is no such account')
    }),
    pageRoute('POST', '/authorize/*', async (call) => {
      const { account } = await call.needAdmin()
      const fields = readForm(call)
      call.checkForm(fields)
      const name = call.params[0] ?? ''
      const link = await act(call, name, fields, { actorId: account.id, ip: call.ip })
      const { basePath, origins } = call.site
      if (link === undefined) return redirect(`${basePath}/authorize#${encodeURIComponent(name)}`, call.headers)
      return page(call, {
        kind: 'link-issued',
        title: `A link for ${name}`,
        content: () =>
          html`<p>Hand this over; it works once, for an hour, and is not shown again.</p>
            <p><code>${origins[0] ?? call.url.origin}${link.path}</code></p>
            <p class="more"><a href="${basePath}/authorize">All accounts</a></p>`,
      })
    }),
    pageRoute('POST', '/discard/*', async (call) => {
      const { account } = await call.needAdmin()
      call.checkForm(readForm(call))
      await call.site.auth.accounts.discard(call.params[0] ?? '', { actorId: account.id, ip: call.ip })
      return redirect(`${call.site.basePath}/authorize`, call.headers)
    }),
  ]
}
