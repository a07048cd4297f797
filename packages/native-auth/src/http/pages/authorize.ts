import type { Account } from '../../accounts/account.ts'
import { html } from '../../internal/html.ts'
import { readForm } from '../body.ts'
import type { Call } from '../call.ts'
import type { Route } from '../handler.ts'
import { redirect } from '../respond.ts'
import { button } from './forms.ts'
import { pageRoute } from './page-route.ts'
import { page } from './render.ts'
import type { PageView } from './views.ts'

const PAGE_SIZE = 50

type FormView = Omit<PageView<never>, 'account' | 'body'>

function person<Profile>(view: FormView, account: Account<Profile>) {
  const base = view.basePath
  const name = account.username
  const at = encodeURIComponent(name)
  const act = (label: string, path: string, style: 'quiet' | 'danger', hidden = {}) =>
    button(view, `${base}${path}`, label, style, hidden, name)
  return html`<li id="${name}">
    <div class="who">
      <b>${account.displayName}</b>
      ${account.displayName !== name && html` <span class="hint">${name}</span>`}
      ${account.email !== undefined && html` <span class="hint">${account.email}</span>`}
      <span class="tag">${account.isAuthorised ? 'authorised' : 'waiting'}</span>
      ${account.isAdmin && html`<span class="tag">administrator</span>`}
      ${account.hasSecondFactor && html`<span class="tag">two factors</span>`}
      ${account.isBlocked && html`<span class="tag">blocked${account.blockedReason !== undefined && `: ${account.blockedReason}`}</span>`}
    </div>
    <div class="acts">
      ${
        account.isAuthorised
          ? act('Unauthorise', `/authorize/${at}`, 'quiet', { action: 'unauthorise' })
          : act('Authorise', `/authorize/${at}`, 'quiet', { action: 'authorise' })
      }
      <a href="${base}/change-password/${at}" aria-label="Change password of ${name}">Change password</a>
      ${!account.isAuthorised && act('Discard', `/discard/${at}`, 'danger')}
    </div>
  </li>`
}

async function listPage<Profile>(call: Call<Profile>): Promise<Response> {
  const search = call.url.searchParams.get('search') ?? ''
  const offset = Math.max(0, Math.trunc(Number(call.url.searchParams.get('offset') ?? 0)) || 0)
  const found = await call.site.auth.accounts.list({ search, offset, limit: PAGE_SIZE })
  const { basePath } = call.site
  const link = (to: number, label: string) =>
    html`<a href="${basePath}/authorize?${new URLSearchParams({ search, offset: String(to) }).toString()}">${label}</a>`
  const last = offset + found.accounts.length
  return page(call, {
    kind: 'authorize',
    title: 'People',
    content: (view) => html`
      <form class="search" method="get" action="${basePath}/authorize" role="search">
        <input name="search" value="${search}" aria-label="Search people" />
        <button>Search</button>
      </form>
      <p class="hint">${found.total === 0 ? 'Nobody' : `${offset + 1} to ${last} of ${found.total}`}</p>
      <ul class="people">
        ${found.accounts.map((account) => person(view, account))}
      </ul>
      <p class="more">
        ${offset > 0 && link(Math.max(0, offset - PAGE_SIZE), 'Previous page')}
        ${last < found.total && link(last, 'Next page')}
      </p>
    `,
  })
}

/** `GET /authorize`, `POST /authorize/{name}`, `POST /discard/{name}`; for administrators. */
export function authorizeRoutes<Profile>(): readonly Route<Profile>[] {
  const act = (path: string, run: (call: Call<Profile>, name: string, form: URLSearchParams) => Promise<unknown>) =>
    pageRoute<Profile>('POST', path, async (call) => {
      await call.needAdmin()
      const fields = await readForm(call.request)
      call.checkForm(fields)
      const name = call.params[0] ?? ''
      await run(call, name, fields)
      return redirect(`${call.site.basePath}/authorize#${encodeURIComponent(name)}`, call.headers)
    })
  return [
    pageRoute('GET', '/authorize', async (call) => {
      await call.needAdmin()
      return listPage(call)
    }),
    act('/authorize/*', async (call, name, fields) => {
      const { account } = await call.needAdmin()
      const actor = { actorId: account.id, ip: call.ip }
      const { accounts } = call.site.auth
      // The button says what is wanted, so that two administrators do not undo each other.
      await (fields.get('action') === 'unauthorise'
        ? accounts.unauthorise(name, actor)
        : accounts.authorise(name, actor))
    }),
    act('/discard/*', async (call, name) => {
      const { account } = await call.needAdmin()
      await call.site.auth.accounts.discard(name, { actorId: account.id, ip: call.ip })
    }),
  ]
}
