import type { NativeAuthError } from '../../errors.ts'
import { type Html, html } from '../../internal/html.ts'
import type { Call } from '../call.ts'
import { errorHeaders, html as htmlResponse, STATUS } from '../respond.ts'
import { LAYOUT_POLICY, OWN_POLICY, ownLayout } from './layout.ts'
import type { PageKind, PageView } from './views.ts'

/** A page to answer with. */
export interface Draft {
  readonly kind: PageKind
  readonly title: string
  readonly status?: number
  readonly notice?: { readonly text: string; readonly isError: boolean } | undefined
  readonly errors?: Readonly<Record<string, string>>
  readonly values?: Readonly<Record<string, string>>
  readonly content: (view: Omit<PageView<never>, 'account' | 'body'>) => Html
}

/** Draws a page, in the service's own way where it has one. */
export async function page<Profile>(call: Call<Profile>, draft: Draft): Promise<Response> {
  const { site } = call
  const { pages } = site.core.options
  const account = (await call.session())?.account
  const plain = {
    kind: draft.kind,
    notice: draft.notice,
    errors: draft.errors ?? {},
    values: draft.values ?? {},
    formToken: call.formToken(),
    basePath: site.basePath,
    serviceName: site.serviceName,
  }
  const notice =
    draft.notice !== undefined &&
    html`<p
      class="${draft.notice.isError ? 'notice bad' : 'notice'}"
      role="${draft.notice.isError ? 'alert' : 'status'}"
    >
      ${draft.notice.text}
    </p>`
  const own = html`${notice}${draft.content(plain)}`.markup
  const drawn = pages?.render?.[draft.kind]
  const body = drawn === undefined ? own : await drawn({ ...plain, account, body: own })
  const whole = {
    kind: draft.kind,
    title: draft.title,
    body,
    account,
    basePath: site.basePath,
    serviceName: site.serviceName,
  }
  const text = pages?.layout === undefined ? ownLayout(whole) : await pages.layout(whole)
  const policy = pages?.contentSecurityPolicy ?? (pages?.layout === undefined ? OWN_POLICY : LAYOUT_POLICY)
  return htmlResponse(draft.status ?? 200, text, policy, call.headers)
}

/** A page that only says something. */
export function messagePage<Profile>(
  call: Call<Profile>,
  status: number,
  title: string,
  text: string,
  more: Html = html``,
): Promise<Response> {
  return page(call, {
    kind: 'message',
    title,
    status,
    content: () =>
      html`<p>${text}</p>
        ${more}`,
  })
}

const TITLES: Partial<Record<number, string>> = {
  401: 'Log in first',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Not possible',
  410: 'This link is no longer valid',
  429: 'Too many attempts',
  503: 'Busy',
}

/** An error for somebody who looks at pages. */
export async function errorPage<Profile>(call: Call<Profile>, error: NativeAuthError): Promise<Response> {
  const status = STATUS[error.code]
  for (const [name, value] of errorHeaders(error)) call.headers.set(name, value)
  try {
    const isLoggedIn = (await call.session()) !== undefined
    const back = isLoggedIn
      ? html`<p class="more"><a href="${call.site.home}">Go back</a></p>`
      : html`<p class="more"><a href="${call.site.basePath}/login">Go to the login page</a></p>`
    return await messagePage(call, status, TITLES[status] ?? 'Something went wrong', error.message, back)
  } catch (failure) {
    // The layout or the database is what failed.
    call.site.core.onError(failure)
    return htmlResponse(status, `<!doctype html><title>Error</title><p>Something went wrong here.</p>`, OWN_POLICY)
  }
}
