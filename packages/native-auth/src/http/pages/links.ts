import { NativeAuthError } from '../../errors.ts'
import { html } from '../../internal/html.ts'
import { readForm } from '../body.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import { countClient } from '../limits.ts'
import { errorHeaders, STATUS } from '../respond.ts'
import { button, errorsOf, field, form } from './forms.ts'
import { pageRoute } from './page-route.ts'
import { messagePage, page } from './render.ts'
import { passwordHint } from './signup.ts'

function resetPage<Profile>(call: Call<Profile>, token: string, error?: NativeAuthError): Promise<Response> {
  return page(call, {
    kind: 'reset',
    title: 'Choose a new password',
    status: error === undefined ? 200 : STATUS[error.code],
    notice: error === undefined ? undefined : { text: error.message, isError: true },
    errors: errorsOf(error),
    content: (view) =>
      form(
        view,
        `${view.basePath}/reset/${encodeURIComponent(token)}`,
        html`${field(view, {
            name: 'new_password',
            label: 'New password',
            type: 'password',
            autocomplete: 'new-password',
            hint: passwordHint(call.site.core.passwords.minLength),
            autofocus: true,
          })}
          ${field(view, {
            name: 'new_password_confirmation',
            label: 'New password again',
            type: 'password',
            autocomplete: 'new-password',
          })} <button>Save password</button>`,
      ),
  })
}

async function mustBeOpen<Profile>(call: Call<Profile>, kind: 'reset' | 'confirm'): Promise<string> {
  const token = call.params[0] ?? ''
  if (await call.site.auth.links.isOpen(kind, token)) return token
  throw new NativeAuthError('NATIVE_AUTH_INVALID_LINK', 'This link is used up or too old')
}

function forgotPage<Profile>(call: Call<Profile>): Promise<Response> {
  return page(call, {
    kind: 'forgot-password',
    title: 'Forgot your password?',
    content: (view) =>
      form(
        view,
        `${view.basePath}/forgot-password`,
        html`${field(view, { name: 'username', label: 'Username', autocomplete: 'username', autofocus: true })}
          <button>Mail me a link</button>`,
      ),
  })
}

/** Pages behind links: `/reset/{token}`, `/confirm/{token}`, `/forgot-password`. Opening one changes nothing. */
export function linkRoutes<Profile>(): readonly Route<Profile>[] {
  const login = (call: Call<Profile>) =>
    html`<p class="more"><a href="${call.site.basePath}/login">Go to the login page</a></p>`
  const mailMustWork = (call: Call<Profile>) => {
    if (call.site.core.options.mail !== undefined) return
    throw new NativeAuthError('NATIVE_AUTH_NOT_FOUND', 'Ask an administrator for a new password')
  }
  return [
    pageRoute('GET', '/reset/*', async (call) => resetPage(call, await mustBeOpen(call, 'reset'))),
    pageRoute('POST', '/reset/*', async (call) => {
      const fields = readForm(call)
      call.checkForm(fields)
      const token = call.params[0] ?? ''
      const password = fields.get('new_password') ?? ''
      const confirmation = fields.get('new_password_confirmation') ?? ''
      try {
        await call.site.auth.links.reset(token, password, { ip: call.ip }, confirmation)
      } catch (error) {
        if (!(error instanceof NativeAuthError) || error.code === 'NATIVE_AUTH_INVALID_LINK') throw error
        for (const [name, value] of errorHeaders(error)) call.headers.set(name, value)
        return resetPage(call, token, error)
      }
      call.logOut()
      return messagePage(call, 200, 'Password saved', 'Log in with your new password.', login(call))
    }),
    pageRoute('GET', '/confirm/*', async (call) => {
      const token = await mustBeOpen(call, 'confirm')
      return page(call, {
        kind: 'confirm',
        title: 'Confirm your account',
        content: (view) =>
          html`<p>One press, and your account is ready.</p>
            ${button(view, `${view.basePath}/confirm/${encodeURIComponent(token)}`, 'Confirm', 'primary')}`,
      })
    }),
    pageRoute('POST', '/confirm/*', async (call) => {
      call.checkForm(readForm(call))
      const { displayName } = await call.site.auth.links.confirm(call.params[0] ?? '', { ip: call.ip })
      return messagePage(call, 200, 'Account confirmed', `${displayName} is ready: log in.`, login(call))
    }),
    pageRoute('GET', '/forgot-password', async (call) => {
      mailMustWork(call)
      return forgotPage(call)
    }),
    pageRoute('POST', '/forgot-password', async (call) => {
      mailMustWork(call)
      const fields = readForm(call)
      call.checkForm(fields)
      await countClient(call, 'resets')
      await call.site.auth.links.requestReset(fields.get('username') ?? '')
      const text = 'If the account has an e-mail address, a mail with a link is on its way. It works for an hour.'
      return messagePage(call, 200, 'Look into your mail', text, login(call))
    }),
  ]
}
