import { NativeAuthError } from '../../errors.ts'
import { html } from '../../internal/html.ts'
import { readForm } from '../body.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import { errorHeaders, redirect, STATUS } from '../respond.ts'
import { errorsOf, field, form } from './forms.ts'
import { loginFirst, pageRoute } from './page-route.ts'
import { messagePage, page } from './render.ts'
import { passwordHint } from './signup.ts'

/** Draws the form for oneself, or for the named account. */
function changePage<Profile>(
  call: Call<Profile>,
  name: string | undefined,
  error?: NativeAuthError,
  asksCode = false,
): Promise<Response> {
  const { basePath, core } = call.site
  const errors = errorsOf(error)
  return page(call, {
    kind: name === undefined ? 'change-password' : 'change-password-for',
    title: name === undefined ? 'Change password' : `Change password of ${name}`,
    status: error === undefined ? 200 : STATUS[error.code],
    notice: error === undefined ? undefined : { text: error.message, isError: true },
    errors,
    content: (view) =>
      form(
        view,
        `${basePath}/change-password${name === undefined ? '' : `/${encodeURIComponent(name)}`}`,
        html`${
            name === undefined &&
            field(view, {
              name: 'old_password',
              label: 'Current password',
              type: 'password',
              autocomplete: 'current-password',
              autofocus: true,
            })
          }
          ${field(view, {
            name: 'new_password',
            label: 'New password',
            type: 'password',
            autocomplete: 'new-password',
            hint: passwordHint(core.passwords.minLength),
          })}
          ${field(view, {
            name: 'new_password_confirmation',
            label: 'New password again',
            type: 'password',
            autocomplete: 'new-password',
          })}
          ${
            asksCode &&
            field(view, {
              name: 'code',
              label: 'Code',
              autocomplete: 'one-time-code',
              hint: 'From your authenticator app, or a recovery code.',
            })
          } <button>Change password</button>`,
      ),
  })
}

/** `GET` and `POST /change-password` for oneself, `/change-password/{name}` for administrators. */
export function changePasswordRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    pageRoute('GET', '/change-password', async (call) => {
      const session = await call.session()
      if (session === undefined) return redirect(loginFirst(call))
      return changePage(call, undefined, undefined, session.account.hasSecondFactor)
    }),
    pageRoute('POST', '/change-password', async (call) => {
      const session = await call.session()
      if (session === undefined) throw new NativeAuthError('NATIVE_AUTH_FORBIDDEN', 'Log in first')
      const fields = readForm(call)
      call.checkForm(fields)
      try {
        const next = fields.get('new_password') ?? ''
        const passwords = {
          current: fields.get('old_password') ?? '',
          next,
          confirmation: fields.get('new_password_confirmation') ?? '',
          code: fields.get('code') ?? undefined,
        }
        await call.logIn(await call.site.auth.passwords.change(session, passwords, call.client()))
      } catch (error) {
        if (!(error instanceof NativeAuthError)) throw error
        for (const [key, value] of errorHeaders(error)) call.headers.set(key, value)
        return changePage(call, undefined, error, session.account.hasSecondFactor)
      }
      return messagePage(call, 200, 'Password changed', 'Your other sessions have ended.')
    }),
    pageRoute('GET', '/change-password/*', async (call) => {
      await call.needAdmin()
      return changePage(call, (await needAccount(call)).username)
    }),
    pageRoute('POST', '/change-password/*', async (call) => {
      const { account: admin } = await call.needAdmin()
      const fields = readForm(call)
      call.checkForm(fields)
      const { username, id } = await needAccount(call)
      try {
        const next = fields.get('new_password') ?? ''
        const confirmation = fields.get('new_password_confirmation') ?? ''
        await call.site.auth.passwords.set(id, next, { actorId: admin.id, ip: call.ip }, confirmation)
      } catch (error) {
        if (!(error instanceof NativeAuthError)) throw error
        return changePage(call, username, error)
      }
      return messagePage(call, 200, 'Password changed', `The sessions of ${username} have ended.`)
    }),
  ]
}

async function needAccount<Profile>(call: Call<Profile>) {
  const account = await call.site.auth.accounts.get(call.params[0] ?? '')
  if (account !== undefined) return account
  throw new NativeAuthError('NATIVE_AUTH_NOT_FOUND', 'There is no such account')
}
