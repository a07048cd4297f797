import { NativeAuthError } from '../../errors.ts'
import { Html, html } from '../../internal/html.ts'
import { profileFieldsOf } from '../../accounts/profile.ts'
import { matchesWhole } from '../../accounts/username.ts'
import { readForm } from '../body.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import { countClient } from '../limits.ts'
import { errorHeaders, STATUS } from '../respond.ts'
import { errorsOf, field, form } from './forms.ts'
import { pageRoute } from './page-route.ts'
import { messagePage, page } from './render.ts'

interface SignUpState {
  readonly status?: number
  readonly error?: string
  readonly errors?: Readonly<Record<string, string>>
  readonly values?: Readonly<Record<string, string>>
}

function signUpPage<Profile>(call: Call<Profile>, state: SignUpState = {}): Promise<Response> {
  const { basePath, core } = call.site
  const { signUp = {}, pages, adminUsers = [] } = core.options
  const asksEmail = signUp.askEmail === true || signUp.selfApproval !== undefined
  return page(call, {
    kind: 'signup',
    title: 'Sign up',
    status: state.status ?? 200,
    notice: state.error === undefined ? undefined : { text: state.error, isError: true },
    errors: state.errors ?? {},
    values: state.values ?? {},
    content: (view) => html`
      ${form(
        view,
        `${basePath}/signup`,
        html`${field(view, { name: 'username', label: 'Username', autocomplete: 'username', autofocus: true })}
          ${profileFieldsOf(core.options.profile).map((extra) =>
            field(view, {
              name: extra.name,
              label: extra.label,
              autocomplete: extra.autocomplete ?? 'on',
              required: extra.required,
            }),
          )}
          ${asksEmail && field(view, { name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'email' })}
          ${field(view, {
            name: 'signup_password',
            label: 'Password',
            type: 'password',
            autocomplete: 'new-password',
            hint: passwordHint(core.passwords.minLength),
          })}
          ${field(view, {
            name: 'signup_password_confirmation',
            label: 'Password again',
            type: 'password',
            autocomplete: 'new-password',
          })}
          ${
            adminUsers.length > 0 &&
            core.options.adminToken !== undefined &&
            field(view, {
              name: 'admin_token',
              label: 'Administrator token',
              type: 'password',
              autocomplete: 'off',
              required: false,
              hint: 'Only for the first login of an administrator.',
            })
          }
          ${
            signUp.termsHtml !== undefined &&
            html`<div class="check">
              <input id="terms" name="terms" type="checkbox" value="yes" required />
              <label for="terms">${new Html(signUp.termsHtml)}</label>
            </div>`
          }
          ${pages?.captchaHtml !== undefined && new Html(pages.captchaHtml)} <button>Sign up</button>`,
      )}
      <p class="more">Have an account? <a href="${basePath}/login">Log in</a></p>
    `,
  })
}

/** What a person reads about the length of a new password. */
export const passwordHint = (minLength: number): string =>
  minLength > 1 ? `At least ${minLength} characters; a few words work well.` : 'At most 128 characters.'

/** `GET` and `POST /signup`. */
export function signUpRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    pageRoute('GET', '/signup', async (call) => {
      mustBeOn(call)
      return signUpPage(call)
    }),
    pageRoute('POST', '/signup', async (call) => {
      mustBeOn(call)
      const fields = readForm(call)
      call.checkForm(fields)
      const { auth, core } = call.site
      const password = fields.get('signup_password') ?? ''
      const captchaField = core.options.signUp?.captchaField ?? 'captcha'
      const extras = profileFieldsOf(core.options.profile).map(({ name }) => name)
      const kept = ['username', 'email', ...extras]
      const values = Object.fromEntries(kept.map((name) => [name, fields.get(name) ?? '']))
      try {
        await countClient(call, 'signUps')
        const account = await auth.signUp(
          {
            username: fields.get('username') ?? '',
            password,
            confirmation: fields.get('signup_password_confirmation') ?? '',
            email: fields.get('email') ?? undefined,
            profile: Object.fromEntries(extras.map((name) => [name, fields.get(name) ?? undefined])),
            acceptTerms: fields.has('terms'),
            adminToken: fields.get('admin_token') ?? undefined,
            captcha: fields.get(captchaField) ?? undefined,
          },
          call.client(),
        )
        const login = html`<p class="more"><a href="${call.site.basePath}/login">Go to the login page</a></p>`
        if (account.isAuthorised)
          return await messagePage(call, 201, 'Welcome', `${account.displayName} is ready: log in.`, login)
        const mailed = core.options.signUp?.selfApproval
        return mailed !== undefined && account.email !== undefined && matchesWhole(mailed, account.email)
          ? await messagePage(
              call,
              201,
              'Look into your mail',
              'Open the link in it within 15 minutes to confirm your account.',
              login,
            )
          : await messagePage(call, 201, 'Almost there', 'An administrator now has to authorise your account.', login)
      } catch (error) {
        if (!(error instanceof NativeAuthError)) throw error
        for (const [name, value] of errorHeaders(error)) call.headers.set(name, value)
        const errors =
          error.code === 'NATIVE_AUTH_USERNAME_TAKEN' || error.code === 'NATIVE_AUTH_NAME_RESERVED'
            ? { username: error.message }
            : renamed(errorsOf(error))
        const text = Object.keys(errors).length > 0 ? 'Nothing was stored yet; see below.' : error.message
        return signUpPage(call, { status: STATUS[error.code], error: text, errors, values })
      }
    }),
  ]
}

/** The form calls the password as password managers know it from the model's form. */
function renamed({ password, password_confirmation, ...rest }: Record<string, string>): Record<string, string> {
  return {
    ...rest,
    ...(password === undefined ? {} : { signup_password: password }),
    ...(password_confirmation === undefined ? {} : { signup_password_confirmation: password_confirmation }),
  }
}

function mustBeOn<Profile>(call: Call<Profile>): void {
  if (call.site.core.options.signUp?.enabled !== false) return
  throw new NativeAuthError('NATIVE_AUTH_SIGNUP_DISABLED', 'Signing up is switched off here')
}
