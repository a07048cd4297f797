import { NativeAuthError } from '../../errors.ts'
import { html } from '../../internal/html.ts'
import { readForm } from '../body.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import { countClient } from '../limits.ts'
import { safeNext } from '../next.ts'
import { redirect, STATUS } from '../respond.ts'
import { codePage, enrolPage } from './second-factor.ts'
import { button, field, form } from './forms.ts'
import { pageRoute } from './page-route.ts'
import { page } from './render.ts'

interface LoginState {
  readonly status?: number
  readonly error?: string
  readonly username?: string
  readonly next: string
}

function loginPage<Profile>(call: Call<Profile>, state: LoginState): Promise<Response> {
  const { basePath, core } = call.site
  const canSignUp = core.options.signUp?.enabled !== false
  const canMail = core.options.mail !== undefined
  return page(call, {
    kind: 'login',
    title: 'Log in',
    status: state.status ?? 200,
    notice: state.error === undefined ? undefined : { text: state.error, isError: true },
    values: { username: state.username ?? '', next: state.next },
    content: (view) => html`
      ${form(
        view,
        `${basePath}/login`,
        html`<input type="hidden" name="next" value="${state.next}" />
          ${field(view, { name: 'username', label: 'Username', autocomplete: 'username', autofocus: !state.username })}
          ${field(view, {
            name: 'password',
            label: 'Password',
            type: 'password',
            autocomplete: 'current-password',
            autofocus: Boolean(state.username),
          })}
          <button>Log in</button>`,
      )}
      ${canMail && html`<p class="more"><a href="${basePath}/forgot-password">Forgot your password?</a></p>`}
      ${canSignUp && html`<p class="more">New here? <a href="${basePath}/signup">Sign up</a></p>`}
    `,
  })
}

/** The password was right: what comes before the session is a code, or a second factor to set up. */
async function nextStep<Profile>(call: Call<Profile>, error: NativeAuthError, challenge: string, next: string) {
  if (error.code === 'NATIVE_AUTH_SECOND_FACTOR_REQUIRED') return codePage(call, challenge, next)
  const enrolment = await call.site.auth.secondFactor.enrolment(challenge)
  if (enrolment === undefined) throw error
  return enrolPage(call, enrolment, next)
}

/** `GET` and `POST /login`, `GET` and `POST /logout`. */
export function loginRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    pageRoute('GET', '/login', async (call) => {
      const next = safeNext(call.url.searchParams.get('next'), call.site.home)
      return (await call.session()) === undefined ? loginPage(call, { next }) : redirect(next)
    }),
    pageRoute('POST', '/login', async (call) => {
      const fields = readForm(call)
      call.checkForm(fields)
      const next = safeNext(fields.get('next') ?? call.url.searchParams.get('next'), call.site.home)
      const username = fields.get('username') ?? ''
      try {
        await countClient(call, 'logins')
        const password = fields.get('password') ?? ''
        // The model's form asks for everything at once; who posts like it still gets in.
        const code = fields.get('2fa') || undefined
        const opened = await call.site.auth.authenticate({ username, password, code }, call.client())
        await call.logIn(opened)
        return redirect(next, call.headers)
      } catch (error) {
        if (!(error instanceof NativeAuthError)) throw error
        if (error.challenge !== undefined) return await nextStep(call, error, error.challenge, next)
        if (error.retryAfterSeconds !== undefined) call.headers.set('retry-after', String(error.retryAfterSeconds))
        return loginPage(call, { status: STATUS[error.code], error: error.message, username, next })
      }
    }),
    pageRoute('GET', '/logout', async (call) =>
      (await call.session()) === undefined
        ? redirect(`${call.site.basePath}/login`)
        : page(call, {
            kind: 'message',
            title: 'Log out',
            content: (view) =>
              html`<p>End your session on this device?</p>
                ${button(view, `${call.site.basePath}/logout`, 'Log out', 'quiet')}`,
          }),
    ),
    pageRoute('POST', '/logout', async (call) => {
      call.checkForm(readForm(call))
      if (call.token !== undefined) await call.site.auth.sessions.end(call.token)
      call.logOut()
      return redirect(`${call.site.basePath}/login`, call.headers)
    }),
  ]
}
