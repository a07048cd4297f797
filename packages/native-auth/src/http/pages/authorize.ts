import type { Account } from '../../accounts/account.ts'
import { type Html, html } from '../../internal/html.ts'
import type { Route } from '../route.ts'
import { button } from './forms.ts'
import { pageRoute } from './page-route.ts'
import { authoriseButton, tags } from './person.ts'
import { page } from './render.ts'
import type { PageView } from './views.ts'

const PAGE_SIZE = 50

function person<Profile>(view: Omit<PageView<never>, 'account' | 'body'>, account: Account<Profile>): Html {
  const name = account.username
  const at = encodeURIComponent(name)
  return html`<li id="${name}">
    <div class="who">
      <b><a href="${view.basePath}/authorize/${at}">${account.displayName}</a></b>
      ${account.displayName !== name && html` <span class="hint">${name}</span>`}
      ${account.email !== undefined && html` <span class="hint">${account.email}</span>`} ${tags(account)}
    </div>
    <div class="acts">
      ${authoriseButton(view, account, name)}
      ${!account.isAuthorised && button(view, `${view.basePath}/discard/${at}`, 'Discard', 'danger', {}, name)}
    </div>
  </li>`
}

/** `GET /authorize`: everybody, by name, with search and paging; for administrators. */
export function authorizeRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    pageRoute('GET', '/authorize', async (call) => {
      await call.needAdmin()
      const query = call.url.searchParams
      const search = query.get('search') ?? ''
      const offset = Math.min(1e9, Math.max(0, Math.trunc(Number(query.get('offset') ?? 0)) || 0))
      const found = await call.site.auth.accounts.list({ search, offset, limit: PAGE_SIZE })
      const { basePath } = call.site
      const last = offset + found.accounts.length
      const link = (to: number, label: string) => {
        const parameters = new URLSearchParams({ search, offset: String(to) }).toString()
        return html`<a href="${basePath}/authorize?${parameters}">${label}</a>`
      }
      return page(call, {
        kind: 'authorize',
        title: 'Accounts',
        content: (view) => html`
          <form class="search" method="get" action="${basePath}/authorize" role="search">
            <input name="search" value="${search}" aria-label="Search people" />
            <button>Search</button>
          </form>
          <p class="hint">${last === offset ? 'Nobody here.' : `${offset + 1} to ${last} of ${found.total}`}</p>
          <ul class="people">
            ${found.accounts.map((account) => person(view, account))}
          </ul>
          <p class="more">
            ${offset > 0 && link(Math.max(0, offset - PAGE_SIZE), 'Previous page')}
            ${last < found.total && link(last, 'Next page')}
          </p>
        `,
      })
    }),
  ]
}
