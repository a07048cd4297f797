import { NativeAuthError } from '../../errors.ts'
import { Html, html } from '../../internal/html.ts'
import type { Enrolment } from '../../second-factor/second-factor.ts'
import { readForm } from '../body.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import { countClient } from '../limits.ts'
import { safeNext } from '../next.ts'
import { redirect, STATUS } from '../respond.ts'
import { errorsOf, field, form } from './forms.ts'
import { loginFirst, pageRoute } from './page-route.ts'
import { page } from './render.ts'

const codeField = {
  name: 'code',
  label: 'Code',
  autocomplete: 'one-time-code',
  autofocus: true,
} as const

/** Asks for the code of a login that got its password right. */
export function codePage<Profile>(
  call: Call<Profile>,
  challenge: string,
  next: string,
  error?: NativeAuthError,
): Promise<Response> {
  return page(call, {
    kind: 'second-factor',
    title: 'Second step',
    status: error === undefined ? 200 : STATUS[error.code],
    notice: error === undefined ? undefined : { text: error.message, isError: true },
    errors: errorsOf(error),
    values: { challenge, next },
    content: (view) => html`
      ${form(
        view,
        `${view.basePath}/login/code`,
        html`<input type="hidden" name="challenge" value="${challenge}" />
          <input type="hidden" name="next" value="${next}" />
          ${field(view, { ...codeField, hint: 'Six digits from your authenticator app, or a recovery code.' })}
          <button>Continue</button>`,
      )}
      <p class="more"><a href="${view.basePath}/login">Start again</a></p>
    `,
  })
}

/** Shows the secret of a new authenticator, and asks for its first code. */
export async function enrolPage<Profile>(
  call: Call<Profile>,
  enrolment: Enrolment,
  next: string,
  error?: NativeAuthError,
): Promise<Response> {
  return page(call, {
    kind: 'enrol',
    title: 'Set up your second factor',
    status: error === undefined ? 200 : STATUS[error.code],
    notice: error === undefined ? undefined : { text: error.message, isError: true },
    errors: errorsOf(error),
    content: (view) => html`
      <p>Scan this with an authenticator app, then enter the code it shows.</p>
      <div class="qr" role="img" aria-label="QR code of the key below">${new Html(enrolment.qrSvg)}</div>
      <p>No camera? Type this key: <code>${enrolment.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code></p>
      ${form(
        view,
        `${view.basePath}/second-factor/confirm`,
        html`<input type="hidden" name="setup" value="${enrolment.setup}" />
          <input type="hidden" name="next" value="${next}" />
          ${field(view, { ...codeField, inputmode: 'numeric', hint: 'Six digits.' })}
          <button>Switch on</button>`,
      )}
    `,
  })
}

function recoveryPage<Profile>(call: Call<Profile>, codes: readonly string[], next: string): Promise<Response> {
  return page(call, {
    kind: 'recovery-codes',
    title: 'Your recovery codes',
    content: () => html`
      <p>Each works once, for when your phone is lost. Keep them where you keep passwords: they are not shown again.</p>
      <ul class="codes">
        ${codes.map((code) => html`<li>${code}</li>`)}
      </ul>
      <p class="more"><a href="${next}">Continue</a></p>
    `,
  })
}

async function settingsPage<Profile>(call: Call<Profile>, error?: NativeAuthError): Promise<Response> {
  const { account } = await call.needSession()
  const password = {
    name: 'password',
    label: 'Current password',
    type: 'password',
    autocomplete: 'current-password',
  } as const
  return page(call, {
    kind: 'second-factor',
    title: 'Second factor',
    status: error === undefined ? 200 : STATUS[error.code],
    notice: error === undefined ? undefined : { text: error.message, isError: true },
    errors: errorsOf(error),
    content: (view) =>
      account.hasSecondFactor
        ? html`<p>Logging in asks for a code of your authenticator app.</p>
            ${form(
              view,
              `${view.basePath}/second-factor`,
              html`${field(view, password)}${field(view, { ...codeField, autofocus: false })}
                <button name="action" value="renew">New recovery codes</button>
                <button class="danger" name="action" value="disable">Switch off</button>`,
            )}`
        : html`<p>With a second factor, a stolen password alone opens nothing.</p>
            ${form(
              view,
              `${view.basePath}/second-factor`,
              html`${field(view, password)}<button name="action" value="start">Set up</button>`,
            )}`,
  })
}

/** `POST /login/code`, `GET` and `POST /second-factor`, `POST /second-factor/confirm`. */
export function secondFactorRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    pageRoute('POST', '/login/code', async (call) => {
      const fields = readForm(call)
      call.checkForm(fields)
      const { secondFactor } = call.site.auth
      const challenge = fields.get('challenge') ?? ''
      const next = safeNext(fields.get('next'), call.site.home)
      try {
        await countClient(call, 'logins')
        await call.logIn(await secondFactor.complete(challenge, fields.get('code') ?? '', call.client()))
        return redirect(next, call.headers)
      } catch (error) {
        if (!(error instanceof NativeAuthError)) throw error
        if (await secondFactor.isOpen(challenge)) return codePage(call, challenge, next, error)
        return redirect(`${call.site.basePath}/login?next=${encodeURIComponent(next)}`)
      }
    }),
    pageRoute('GET', '/second-factor', async (call) =>
      (await call.session()) === undefined ? redirect(loginFirst(call)) : settingsPage(call),
    ),
    pageRoute('POST', '/second-factor', async (call) => {
      const session = await call.needSession()
      const fields = readForm(call)
      call.checkForm(fields)
      const { secondFactor } = call.site.auth
      const proof = { password: fields.get('password') ?? '', code: fields.get('code') ?? '' }
      try {
        switch (fields.get('action') ?? '') {
          case 'start':
            return await enrolPage(
              call,
              await secondFactor.start(session, proof.password, call.client()),
              call.site.home,
            )
          case 'renew':
            return await recoveryPage(
              call,
              await secondFactor.renewCodes(session, proof, call.client()),
              call.site.home,
            )
          case 'disable':
            await call.logIn(await secondFactor.disable(session, proof, call.client()))
            return redirect(`${call.site.basePath}/account`, call.headers)
          default:
            return await settingsPage(call)
        }
      } catch (error) {
        if (!(error instanceof NativeAuthError)) throw error
        return settingsPage(call, error)
      }
    }),
    pageRoute('POST', '/second-factor/confirm', async (call) => {
      const fields = readForm(call)
      call.checkForm(fields)
      const { secondFactor } = call.site.auth
      const setup = fields.get('setup') ?? ''
      const next = safeNext(fields.get('next'), call.site.home)
      try {
        await countClient(call, 'logins')
        const opened = await secondFactor.confirm(setup, fields.get('code') ?? '', call.client())
        await call.logIn(opened)
        return await recoveryPage(call, opened.recoveryCodes, next)
      } catch (error) {
        if (!(error instanceof NativeAuthError)) throw error
        const enrolment = await secondFactor.enrolment(setup)
        if (enrolment === undefined) throw error
        return enrolPage(call, enrolment, next, error)
      }
    }),
  ]
}
